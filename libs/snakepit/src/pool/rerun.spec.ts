import { describe, expect, it } from 'vitest';

import { Rerun } from './rerun.js';

/** A task whose runs end when the test says so. */
function setUp() {
  const runs: Array<{ end(): void; fail(error: Error): void }> = [];
  const rerun = new Rerun(
    () =>
      new Promise<void>((resolve, reject) => void runs.push({ end: () => resolve(), fail: (error) => reject(error) })),
  );
  return { runs, rerun };
}

describe('Rerun', () => {
  it('runs once more for all who asked while it ran', async () => {
    const { runs, rerun } = setUp();
    const first = rerun.run();
    const others = [rerun.run(), rerun.run(), rerun.run()];
    expect(runs).toHaveLength(1);
    runs[0]!.end();
    await first;
    await new Promise(setImmediate);
    expect(runs).toHaveLength(2);
    const later = rerun.run();
    runs[1]!.end();
    await Promise.all(others);
    await new Promise(setImmediate);
    expect(runs).toHaveLength(3);
    runs[2]!.end();
    await later;
  });

  it('tells each the outcome of its own run, and goes on after a failure', async () => {
    const { runs, rerun } = setUp();
    const first = rerun.run();
    const second = rerun.run();
    runs[0]!.fail(new Error('syntax'));
    await expect(first).rejects.toThrow('syntax');
    await new Promise(setImmediate);
    runs[1]!.end();
    await second;
    const third = rerun.run();
    runs[2]!.end();
    await third;
    expect(runs).toHaveLength(3);
  });
});
