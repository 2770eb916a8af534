import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CommandTaint, SURVIVALS_PER_DEATH } from './command-taint.js';

const SETTINGS = { deaths: 3, windowMs: 60_000, probeAfterMs: 1_000, maxProbeAfterMs: 3_000 };

function tainted(): CommandTaint {
  const taint = new CommandTaint(SETTINGS);
  for (const at of [0, 1, 2]) taint.onDeath(at);
  return taint;
}

describe('a command', () => {
  it('is tainted by as many deaths within the window as are set, and refused until its probe', () => {
    const taint = new CommandTaint(SETTINGS);
    expect([0, 1, 2].map((at) => taint.onDeath(at))).toEqual([false, false, true]);
    expect(taint.admit(2)).toBe(1_000);
    expect(taint.admit(1_001)).toBe(1);
  });

  it('is not tainted by deaths that lie further apart', () => {
    const taint = new CommandTaint(SETTINGS);
    for (let n = 0; n < 50; n += 1) expect(taint.onDeath(n * 30_000)).toBe(false);
  });

  it('is not tainted when it mostly leaves its worker alive', () => {
    const taint = new CommandTaint(SETTINGS);
    for (let n = 0; n < 100; n += 1) {
      expect(taint.onDeath(n)).toBe(false);
      for (let call = 0; call < SURVIVALS_PER_DEATH; call += 1) taint.onSurvival();
    }
    expect(taint.isClean).toBe(true);
  });

  it('that is tainted lets one call through at a time, after a delay', () => {
    const taint = tainted();
    expect(taint.admit(1_002)).toBe(0);
    expect(taint.admit(1_002)).toBe(1_000);
    expect(taint.admit(1_502)).toBe(500);
  });

  it('is cleared by a probe that its worker survives', () => {
    const taint = tainted();
    taint.admit(1_002);
    expect(taint.onSurvival()).toBe(true);
    expect(taint.isClean).toBe(true);
    expect(taint.admit(1_003)).toBe(0);
  });

  it('waits twice as long after each probe that kills, up to the limit', () => {
    const taint = tainted();
    let now = 2;
    for (const delay of [1_000, 2_000, 3_000, 3_000]) {
      expect(taint.admit(now)).toBe(delay);
      now += delay;
      expect(taint.admit(now)).toBe(0);
      expect(taint.onDeath(now)).toBe(true);
    }
  });

  it('is not cleared by a call that began before it was tainted', () => {
    const taint = tainted();
    expect(taint.onSurvival()).toBe(false);
    expect(taint.admit(3)).toBe(999);
  });

  it('is probed again when nothing is heard of a probe', () => {
    const taint = tainted();
    expect(taint.admit(1_002)).toBe(0);
    expect(taint.admit(2_001)).toBe(1);
    expect(taint.admit(2_002)).toBe(0);
    expect(taint.admit(2_002)).toBe(1_000);
  });

  it('whatever happens to it: lets at most one probe through per delay, and is never refused for longer than the longest', () => {
    const step = record({
      event: constantFrom('death', 'survival', 'call'),
      ms: integer({ min: 0, max: 4_000 }),
    });
    assert(
      property(array(step, { maxLength: 200 }), (steps) => {
        const taint = new CommandTaint(SETTINGS);
        let now = 0;
        let lastProbe = -Infinity;
        for (const { event, ms } of steps) {
          now += ms;
          if (event === 'death') taint.onDeath(now);
          else if (event === 'survival') taint.onSurvival();
          else {
            const wasTainted = taint.isTainted;
            const wait = taint.admit(now);
            expect(wait).toBeGreaterThanOrEqual(0);
            expect(wait).toBeLessThanOrEqual(SETTINGS.maxProbeAfterMs);
            if (!wasTainted) expect(wait).toBe(0);
            if (wasTainted && wait === 0) {
              expect(now - lastProbe).toBeGreaterThanOrEqual(SETTINGS.probeAfterMs);
              lastProbe = now;
            }
            if (!taint.isTainted) lastProbe = -Infinity;
          }
          if (taint.isClean) lastProbe = -Infinity;
        }
      }),
    );
  });
});
