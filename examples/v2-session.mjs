// Sessions over protocol v2: the data outlives the worker, which is killed here in the middle of it.
import { createSnakepit, python, subscribe } from 'nestjs-snakepit/core';

import { worker } from './support.mjs';

const snakepit = await createSnakepit({
  adapter: python({ module: worker('basket.py') }),
  size: 2,
  affinity: 'strict-queue',
});
const pool = snakepit.pool();
const { id } = await snakepit.sessions.create('cart-1', { metadata: { customer: 'ann' } });

await pool.executeInSession(id, 'put', { item: 'tea', cents: 450 });
await pool.executeInSession(id, 'put', { item: 'milk', cents: 129 });
const before = await pool.executeInSession(id, 'whoami');

const isGone = new Promise((resolve) => {
  subscribe('snakepit:worker', ({ pid, to }) => pid === before && to === 'dead' && resolve());
});
process.kill(before, 'SIGKILL');
await isGone;

const after = await pool.executeInSession(id, 'whoami');
const { items, cents } = await pool.executeInSession(id, 'total');
console.log(`another worker: ${after !== before}; ${items.join(', ')}: ${cents} cents`);

const { metadata } = await snakepit.sessions.get(id);
console.log(`the host knows of ${metadata.customer}: ${metadata.basket.length} items`);
await snakepit.close();
