import { describe, expect, it } from 'vitest';

import { systemClock } from './clock.js';

describe('systemClock', () => {
  it('fires a timer once, not before its time', async () => {
    const start = systemClock.now();
    await new Promise<void>((resolve) => void systemClock.after(5, resolve));
    // Node's timers count whole milliseconds from the start of a turn.
    expect(systemClock.now() - start).toBeGreaterThanOrEqual(4);
  });

  it('does not fire a cancelled timer', async () => {
    const fired: string[] = [];
    systemClock.after(1, () => fired.push('cancelled')).cancel();
    await new Promise<void>((resolve) => void systemClock.after(2, resolve));
    expect(fired).toEqual([]);
  });

  it('tells the wall time in milliseconds since the epoch', () => {
    expect(Math.abs(systemClock.wallTime() - Date.now())).toBeLessThan(1_000);
  });

  it('holds the process with a timer until it is unreferenced', () => {
    const held = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = held();
    const timer = systemClock.after(60_000, () => {});
    expect(held()).toBe(before + 1);
    timer.unref();
    expect(held()).toBe(before);
    timer.cancel();
  });
});
