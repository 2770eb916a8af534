// A session of JavaScript workers: what one call learns the next one knows, whichever worker it runs in.
import { readFile } from 'node:fs/promises';

import { createSnakepit, node } from 'nestjs-snakepit/core';

import { worker } from './support.mjs';

const snakepit = await createSnakepit({ adapter: node({ module: worker('words.mjs') }), size: 2 });
const pool = snakepit.pool();

const text = await readFile(new URL('../LICENSE', import.meta.url), 'utf8');
for (const paragraph of text.split(/\n\s*\n/).filter((each) => each.trim() !== '')) {
  const { fresh, known } = await pool.executeInSession('reader', 'learn', { text: paragraph });
  console.log(`${fresh} new words, ${known} in all`);
}
const again = await pool.executeInSession('reader', 'learn', { text });
console.log(`the whole text once more: ${again.fresh} new words`);

await snakepit.close();
