import { describe, expect, it } from 'vitest';

import { LendingPolicy, type LendingSample } from './lending-policy.js';

const blocked: LendingSample = { nowMs: 0, waiting: 1, isBlocked: true, starting: 0, lent: 0 };

describe('LendingPolicy', () => {
  it('wants one more worker when nested calls wait and every worker is held by a tool', () => {
    expect(new LendingPolicy(4).needsOneMore(blocked)).toBe(true);
  });

  it.each<[string, Partial<LendingSample>]>([
    ['no nested call waits', { waiting: 0 }],
    ['a worker will be free by itself', { isBlocked: false }],
    ['one is on its way', { starting: 1 }],
    ['as many are lent as may be', { lent: 4 }],
  ])('wants none when %s', (_, sample) => {
    expect(new LendingPolicy(4).needsOneMore({ ...blocked, ...sample })).toBe(false);
  });

  it('never wants one where none may be lent', () => {
    expect(new LendingPolicy(0).needsOneMore(blocked)).toBe(false);
  });

  it('lets a second pass after one that could not start', () => {
    const policy = new LendingPolicy(4);
    policy.onFailed(500);
    expect(policy.needsOneMore({ ...blocked, nowMs: 1_499 })).toBe(false);
    expect(policy.needsOneMore({ ...blocked, nowMs: 1_500 })).toBe(true);
  });
});
