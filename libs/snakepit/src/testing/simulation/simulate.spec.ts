import { describe, expect, it } from 'vitest';

import { ONCE_FAILED } from './once-failed.js';
import { Schedule } from './schedule.js';
import { simulate } from './simulate.js';

describe('a pool under random traffic and faults', () => {
  // The long run over a million and more is `simulations` in test/chaos/groups/simulation.mjs.
  it(
    'settles every call once, in time and with the truth, and leaves nothing behind',
    { timeout: 60_000 },
    async () => {
      const figures = await simulate({ seed: 1, schedules: 600 });
      expect(figures.failed).toEqual([]);
      // The schedules are worth something: calls succeed and fail, and workers die.
      expect(figures.meanCalls).toBeGreaterThan(20);
      expect(figures.meanProcesses).toBeGreaterThan(4);
      expect(figures.succeededShare).toBeGreaterThan(0.2);
      expect(figures.succeededShare).toBeLessThan(0.9);
    },
  );

  it.each(ONCE_FAILED)('holds where it once did not: seed %i, %s', async (seed) => {
    await expect(new Schedule(seed).run()).resolves.toBeDefined();
  });

  it('lives the same life again for the same seed', async () => {
    const [first, second] = [new Schedule(17, true), new Schedule(17, true)];
    await first.run();
    await second.run();
    expect(first.notes.length).toBeGreaterThan(20);
    expect(second.notes).toEqual(first.notes);
  });
});
