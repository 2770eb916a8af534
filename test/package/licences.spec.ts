import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { installedLicences, isAllowed } from '../../tools/pack/licences.mjs';
import { repository } from './readme-blocks.js';

const lock: unknown = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8'));

it.each(['libs/snakepit', 'bridges/node'])('%s installs nothing whose licence is not on the list', (workspace) => {
  expect(installedLicences(lock, workspace).filter((row) => !row.isAllowed)).toEqual([]);
});

it('finds what is installed by way of something else', () => {
  const names = installedLicences(lock, 'libs/snakepit').map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['ajv', 'fast-deep-equal']));
});

it.each([
  ['MIT', true],
  ['(MIT OR GPL-3.0)', true],
  ['MIT AND ISC', true],
  ['MIT AND GPL-3.0', false],
  ['GPL-3.0-only', false],
  ['SEE LICENSE IN LICENSE.txt', false],
  ['', false],
  [undefined, false],
])('takes the expression %s: %s', (expression, allowed) => {
  expect(isAllowed(expression)).toBe(allowed);
});
