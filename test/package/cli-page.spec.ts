import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { snakepit } from '../cli/snakepit.js';
import { splitWords } from '../../libs/snakepit/src/cli/split-words.js';
import { fencedBlocks } from './fenced-blocks.js';
import { repository } from './readme-blocks.js';

const cwd = mkdtempSync(join(tmpdir(), 'snakepit-cli-page-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe('docs/cli.md', () => {
  const blocks = fencedBlocks(readFileSync(join(repository, 'docs/cli.md'), 'utf8'));

  it('shows commands that run one after the other, and print what it says', async () => {
    for (const [at, { language, text }] of blocks.entries()) {
      if (language !== 'sh') continue;
      const [npx, program, ...args] = splitWords(text);
      expect([npx, program]).toEqual(['npx', 'snakepit']);
      const { status, stdout } = await snakepit(args, { cwd });
      expect(status, text).toBe(0);
      const shown = blocks[at + 1];
      if (shown?.title !== 'stdout') continue;
      if (shown.language === 'json') expect(JSON.parse(stdout)).toEqual(JSON.parse(shown.text));
      else expect(stdout).toBe(shown.text);
    }
  }, 60_000);

  it('has no other code than commands, what they print, and one line for an image', () => {
    const others = blocks.filter(({ language, title }) => language !== 'sh' && title !== 'stdout');
    expect(others.map(({ text }) => text)).toEqual(['RUN npx snakepit doctor --for python\n']);
  });
});
