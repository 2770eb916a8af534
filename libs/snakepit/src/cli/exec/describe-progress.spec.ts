import { expect, it } from 'vitest';

import { describeProgress } from './describe-progress.js';

const half = `${'█'.repeat(12)}${'░'.repeat(12)}  50 %`;

it.each([
  [0.5, half],
  [{ done: 2, total: 4 }, `${half}  {"done":2,"total":4}`],
  [[2, 4], `${half}  [2,4]`],
  [{ epoch: 1, epochs: 2, loss: 3 }, `${half}  {"epoch":1,"epochs":2,"loss":3}`],
  [{ percent: 50 }, `${half}  {"percent":50}`],
  [{ fraction: 0.5 }, `${half}  {"fraction":0.5}`],
])('draws a bar for %j', (value, line) => {
  expect(describeProgress(value, 200)).toBe(line);
});

it.each([
  [7, '7'],
  ['reading\n\u001b[2J', 'reading [2J'],
  [{ done: 1, total: 0 }, '{"done":1,"total":0}'],
  [null, 'null'],
])('writes %j as it is, on one line', (value, line) => {
  expect(describeProgress(value, 200)).toBe(line);
});

it('never writes more than the terminal is wide', () => {
  expect(describeProgress({ done: 1, total: 2, what: 'x'.repeat(500) }, 40)).toHaveLength(40);
});
