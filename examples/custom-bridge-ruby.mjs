// A bridge in plain Ruby (3.0 and newer, nothing to install) that speaks protocol v1: thirty lines make any language a worker.
import { readFile } from 'node:fs/promises';

import { createSnakepit, custom } from 'nestjs-snakepit/core';

import { data, worker } from './support.mjs';

const adapter = custom({ executable: 'ruby', script: worker('custom_bridge.rb'), language: 'ruby' });
const snakepit = await createSnakepit({ adapter, size: 1 });
const pool = snakepit.pool();
console.log(await pool.execute('ping'));

const lines = (await readFile(data('seattle-weather.csv'), 'utf8')).trim().split('\n').slice(1);
const points = lines.map((line) => line.split(',').map(Number)).map(([, , max, min]) => [min, max]);
const { slope, offset } = await pool.execute('fit_line', { points });
console.log(`the warmest of a day is about ${slope.toFixed(2)} times its coldest, and ${offset.toFixed(1)} °C`);

const { code, message } = await pool.execute('unfit').catch((thrown) => thrown);
console.log(`${code}: ${message}`);
await snakepit.close();
