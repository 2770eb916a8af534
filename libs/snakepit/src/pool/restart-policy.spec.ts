import { describe, expect, it } from 'vitest';

import { RestartPolicy } from './restart-policy.js';

const settings = { initialDelayMs: 100, maxDelayMs: 1_000, windowMs: 60_000, budget: 5 };
const delays = (policy: RestartPolicy, times: readonly number[], free: number): number[] =>
  times.map((at) => policy.onCrash(at, free).delayMs);

describe('RestartPolicy', () => {
  it('restarts at once while crashes are few, then after delays that double up to the longest', () => {
    const policy = new RestartPolicy(settings);
    expect(delays(policy, [0, 1, 2, 3, 4, 5, 6, 7, 8], 3)).toEqual([0, 0, 0, 100, 200, 400, 800, 1_000, 1_000]);
  });

  it('stays at the longest delay however many crashes there are', () => {
    const policy = new RestartPolicy({ ...settings, maxDelayMs: 2_147_483_647 });
    const all = delays(
      policy,
      Array.from({ length: 5_000 }, () => 0),
      0,
    );
    expect(Math.max(...all)).toBe(2_147_483_647);
    expect(all.every((delay, index) => index === 0 || delay >= all[index - 1]!)).toBe(true);
  });

  it('forgets crashes older than the window, and only those', () => {
    const policy = new RestartPolicy(settings);
    delays(policy, [0, 10, 20], 0);
    expect(policy.onCrash(60_010, 0).delayMs).toBe(100 * 2 ** 2);
    expect(policy.onCrash(200_000, 0).delayMs).toBe(100);
  });

  it('is exhausted by one crash more than the budget until the window has passed', () => {
    const policy = new RestartPolicy(settings);
    const verdicts = [0, 1, 2, 3, 4, 5].map((at) => policy.onCrash(at, 3).isExhausted);
    expect(verdicts).toEqual([false, false, false, false, false, true]);
    expect(policy.isExhausted(60_000)).toBe(true);
    expect(policy.isExhausted(60_001)).toBe(false);
  });
});
