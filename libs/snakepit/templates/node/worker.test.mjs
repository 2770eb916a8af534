import assert from 'node:assert/strict';
import { test } from 'node:test';

import { runningTotals, summarize } from './NAME.mjs';

test('summarize adds up and averages', () => {
  assert.deepEqual(summarize({ amounts: [1, 2, 6] }), { count: 3, total: 9, mean: 3 });
});

test('summarize refuses no amounts', () => {
  assert.throws(() => summarize({ amounts: [] }), /no amounts/);
});

test('runningTotals yields a total after each amount', () => {
  assert.deepEqual([...runningTotals({ amounts: [1, 2, 6] })], [1, 3, 9]);
});
