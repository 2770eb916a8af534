// Workers in JavaScript: calls and a stream, in processes of their own.
import { readFile } from 'node:fs/promises';

import { createSnakepit, node } from 'nestjs-snakepit/core';

import { worker } from './support.mjs';

const snakepit = await createSnakepit({ adapter: node({ module: worker('words.mjs') }), size: 2 });
const pool = snakepit.pool();

const text = await readFile(new URL('../LICENSE', import.meta.url), 'utf8');
const words = await pool.execute('topWords', { text, limit: 3 });
console.log(words.map(([word, count]) => `${word} ${count}`).join(', '));

for await (const sentence of pool.iterate('sentences', { text })) {
  console.log(`a sentence of ${sentence.split(/\s+/).length} words`);
  // Leaving the loop stops the generator in the worker.
  if (sentence.startsWith('Permission')) break;
}

await snakepit.close();
