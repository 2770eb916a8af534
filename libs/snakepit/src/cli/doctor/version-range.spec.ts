import { expect, it } from 'vitest';

import { isInRange } from './version-range.js';

const NODE = '^20.19.0 || ^22.12.0 || >=24.0.0';

it.each([
  ['20.19.0', NODE, true],
  ['v20.20.2', NODE, true],
  ['20.18.9', NODE, false],
  ['21.0.0', NODE, false],
  ['22.11.0', NODE, false],
  ['26.1.0', NODE, true],
  ['0.2.2', '^0.2.2', true],
  ['0.3.0', '^0.2.2', false],
  ['0.0.4', '^0.0.3', false],
  ['1.9.1', '>=1.9.0 <1.10.0', true],
  ['1.10.0', '>=1.9.0 <1.10.0', false],
  ['12.0.0-rc.1', '^12.0.0', true],
  ['3', '^3.0.0', true],
])('version %s in range %s: %s', (version, range, isIn) => {
  expect(isInRange(version, range)).toBe(isIn);
});

it.each([
  ['1.0.0', '~1.0.0'],
  ['one', '^1.0.0'],
])('refuses %s in %s', (version, range) => {
  expect(() => isInRange(version, range)).toThrow(RangeError);
});
