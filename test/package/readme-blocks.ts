import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../../', import.meta.url));

export interface ReadmeBlock {
  readonly language: string;
  /** The file it stands for, from `title="…"`. */
  readonly title: string | undefined;
  readonly text: string;
}

export const readme = readFileSync(`${repository}README.md`, 'utf8');

/** All fenced blocks of the README, in order. */
export function readmeBlocks(): ReadmeBlock[] {
  return [...readme.matchAll(/^```(\w+)(?: title="([^"]+)")?\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', title, text = '']) => ({
      language,
      title,
      text,
    }),
  );
}

/** The text of the shell block that contains `part`. */
export function shellBlock(part: string): string {
  const block = readmeBlocks().find(({ language, text }) => language === 'sh' && text.includes(part));
  if (block === undefined) throw new Error(`README.md has no shell block with '${part}'`);
  return block.text.trim();
}
