// Workers in Ruby: a command, a stream, a session, and what a Ruby exception becomes. Needs Ruby 3.0; with the gem msgpack it is faster.
import { readFile } from 'node:fs/promises';

import { createSnakepit, ruby } from 'nestjs-snakepit/core';

import { worker } from './support.mjs';

const snakepit = await createSnakepit({ adapter: ruby({ module: worker('inventory.rb') }), size: 1 });
const pool = snakepit.pool();

const packs = await pool.execute('packs', { count: 44, sizes: [6, 9, 20] });
console.log(`44 pieces in ${packs.length} packs`);
// 43 is the most that no packs hold.
const { code, remote } = await pool.execute('packs', { count: 43, sizes: [6, 9, 20] }).catch((thrown) => thrown);
console.log(`${code}, ${remote.type}: ${remote.message}`);

for (const item of ['tea', 'milk']) await pool.executeInSession('ann', 'take', { item });
console.log(await pool.executeInSession('ann', 'take', { item: 'tea' }));

const text = await readFile(new URL('../LICENSE', import.meta.url), 'utf8');
let lines = 0;
for await (const line of pool.iterate('split', { text })) lines += line.length > 0 ? 1 : 0;
console.log(`${lines} lines that are not empty`);

await snakepit.close();
