import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

import { ERRORS, poolOptionTable } from 'nestjs-snakepit/core';

const root = fileURLToPath(new URL('../../', import.meta.url));

it('keeps the reference pages as the tables say', () => {
  expect(() => execFileSync('node', ['tools/options-reference.mjs', '--check'], { cwd: root })).not.toThrow();
});

it('names every option of a pool and every error', () => {
  const options = readFileSync(`${root}docs/options.md`, 'utf8');
  const errors = readFileSync(`${root}docs/errors.md`, 'utf8');
  for (const name of Object.keys(poolOptionTable)) expect(options).toContain(`\`${name}\``);
  for (const code of Object.keys(ERRORS)) expect(errors).toContain(`### ${code}`);
});
