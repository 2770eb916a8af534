import { describe, expect, it } from 'vitest';

import { ManualClock } from './manual-clock.js';

describe('ManualClock', () => {
  it('fires due timers in the order of their time, then of their creation', () => {
    const clock = new ManualClock();
    const fired: string[] = [];
    clock.after(20, () => fired.push(`late at ${clock.now()}`));
    clock.after(10, () => fired.push(`first at ${clock.now()}`));
    clock.after(10, () => fired.push(`second at ${clock.now()}`));
    clock.advance(15);
    expect(fired).toEqual(['first at 10', 'second at 10']);
    expect(clock.now()).toBe(15);
    clock.advance(5);
    expect(fired).toHaveLength(3);
    expect(clock.timers).toBe(0);
  });

  it('fires timers that a timer starts within the same advance', () => {
    const clock = new ManualClock();
    let ticks = 0;
    const tick = (): void => {
      ticks += 1;
      clock.after(10, tick);
    };
    clock.after(10, tick);
    clock.advance(35);
    expect(ticks).toBe(3);
    expect(clock.timers).toBe(1);
  });

  it('does not fire a cancelled timer', () => {
    const clock = new ManualClock();
    let fired = false;
    clock.after(10, () => (fired = true)).cancel();
    clock.advance(10);
    expect(fired).toBe(false);
  });

  it('moves the wall clock with time and apart from it', () => {
    const clock = new ManualClock(1_000);
    clock.advance(5);
    clock.stepWallTime(-100);
    expect(clock.wallTime()).toBe(905);
    expect(clock.now()).toBe(5);
  });
});
