import { describe, expect, it } from 'vitest';

import { fairThreads, limitNumericThreads, NUMERIC_THREAD_VARIABLES } from './numeric-threads.js';

describe('fairThreads', () => {
  it.each([
    [8, 2, 4],
    [8, 3, 2],
    [4, 4, 1],
    [2, 16, 1],
    [16, 1, 16],
  ])('gives each worker its share: %i CPUs, %i workers', (cpus, workers, threads) => {
    expect(fairThreads(cpus, workers)).toBe(threads);
  });
});

describe('limitNumericThreads', () => {
  it('sets every variable', () => {
    const env: Record<string, string> = { PATH: '/bin' };
    limitNumericThreads(env, 2);
    expect(NUMERIC_THREAD_VARIABLES.map((name) => env[name])).toEqual(NUMERIC_THREAD_VARIABLES.map(() => '2'));
  });

  it('sets none where one of them is there, or no limit is wanted', () => {
    const env = { OMP_NUM_THREADS: '8' };
    limitNumericThreads(env, 2);
    expect(env).toEqual({ OMP_NUM_THREADS: '8' });
    const free = {};
    limitNumericThreads(free, 0);
    expect(free).toEqual({});
  });
});
