import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { fencedBlocks, type FencedBlock } from './fenced-blocks.js';

export const repository = fileURLToPath(new URL('../../', import.meta.url));

export const readme = readFileSync(`${repository}README.md`, 'utf8');

/** All fenced blocks of the README, in order. */
export function readmeBlocks(): FencedBlock[] {
  return fencedBlocks(readme);
}

/** The text of the shell block that contains `part`. */
export function shellBlock(part: string): string {
  const block = readmeBlocks().find(({ language, text }) => language === 'sh' && text.includes(part));
  if (block === undefined) throw new Error(`README.md has no shell block with '${part}'`);
  return block.text.trim();
}
