// Sessions in JSON: calls of one session share data that the host keeps, so that any worker can go on with it.
import { readFile } from 'node:fs/promises';

import { createSnakepit, python } from 'nestjs-snakepit/core';

import { data, worker } from './support.mjs';

const snakepit = await createSnakepit({
  adapter: python({ module: worker('measurements.py'), codec: 'json' }),
  size: 2,
});
const pool = snakepit.pool();

const lines = (await readFile(data('seattle-weather.csv'), 'utf8')).trim().split('\n').slice(1);
const measured = (month, column) =>
  lines.filter((line) => line.startsWith(`2015-${month}`)).map((line) => Number(line.split(',')[column]));

// Two sessions side by side, each with measurements of its own.
for (const [name, month] of [
  ['january', '01'],
  ['july', '07'],
]) {
  await snakepit.sessions.create(name, { metadata: { month } });
  for (const value of measured(month, 2)) await pool.executeInSession(name, 'measure', { value });
  const { count, mean, stddev } = await pool.executeInSession(name, 'summary');
  console.log(`${name}: ${count} days, ${mean} °C on average, standard deviation ${stddev}`);
}

console.log(`sessions: ${(await snakepit.sessions.stats()).created}`);
await snakepit.close();
