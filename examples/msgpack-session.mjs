// A session with binary data: a file comes in parts, in any order, and is put together in the worker. Python needs `pip install msgpack`.
import { readFile } from 'node:fs/promises';

import { createSnakepit, python } from 'nestjs-snakepit/core';

import { data, packages, worker } from './support.mjs';

const adapter = python({ module: worker('archive.py'), codec: 'msgpack', env: packages });
const snakepit = await createSnakepit({ adapter, size: 2 });
const pool = snakepit.pool();

const file = await readFile(data('airports.csv'));
const partBytes = 50_000;
const parts = Array.from({ length: Math.ceil(file.length / partBytes) }, (_, index) => ({
  index,
  data: file.subarray(index * partBytes, (index + 1) * partBytes),
}));

const { id } = await snakepit.sessions.create();
await Promise.all(parts.toReversed().map((part) => pool.executeInSession(id, 'put_part', part)));
const whole = await pool.executeInSession(id, 'join');
console.log(`${whole.parts} parts, ${whole.data.length} bytes, the same file: ${whole.data.equals(file)}`);

await snakepit.sessions.delete(id);
console.log(`left over: ${(await snakepit.sessions.stats()).sessions} sessions`);
await snakepit.close();
