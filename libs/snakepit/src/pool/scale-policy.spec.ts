import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ScalePolicy, type LoadSample, type ScaleSettings } from './scale-policy.js';

const SETTINGS: ScaleSettings = {
  min: 1,
  max: 8,
  queueWaitMs: 50,
  utilizationPercent: 80,
  downAfterMs: 5_000,
  checkIntervalMs: 100,
  queueTimeoutMs: 5_000,
};

interface Phase {
  /** Calls that arrive, evenly spread, and how long each runs. */
  readonly calls: number;
  readonly overMs: number;
  readonly serviceMs: number;
}

interface Outcome {
  /** Every size the pool had, with the time it had it from. */
  readonly sizes: Array<{ readonly atMs: number; readonly size: number }>;
  readonly longestWaitMs: number;
}

/** A pool in steps of a millisecond: one call at a time in each worker, first come, first served. */
function simulate(settings: ScaleSettings, startMs: number, phases: readonly Phase[]): Outcome {
  const policy = new ScalePolicy(settings);
  const waiting: Array<{ readonly at: number; readonly serviceMs: number }> = [];
  const sizes = [{ atMs: 0, size: settings.min }];
  let workers = Array.from({ length: settings.min }, () => ({ readyAt: 0, freeAt: 0 }));
  let longestWaitMs = 0;
  let now = 0;
  for (const { calls, overMs, serviceMs } of phases) {
    const end = now + overMs;
    let arrived = 0;
    for (const begin = now; now < end; now += 1) {
      while (arrived < calls && begin + (arrived * overMs) / calls <= now) {
        waiting.push({ at: now, serviceMs });
        arrived += 1;
      }
      for (const worker of workers) {
        if (waiting.length === 0) break;
        if (worker.readyAt > now || worker.freeAt > now) continue;
        const { at, serviceMs: service } = waiting.shift()!;
        longestWaitMs = Math.max(longestWaitMs, now - at);
        worker.freeAt = now + service;
      }
      if (now % settings.checkIntervalMs !== 0) continue;
      const decision = policy.look({
        nowMs: now,
        size: workers.length,
        ready: workers.filter(({ readyAt }) => readyAt <= now).length,
        busy: workers.filter(({ freeAt }) => freeAt > now).length,
        queued: waiting.length,
        oldestWaitMs: now - (waiting[0]?.at ?? now),
        startMs,
      });
      if (decision === undefined) continue;
      const added = decision.size - workers.length;
      sizes.push({ atMs: now, size: decision.size });
      if (added > 0) workers.push(...Array.from({ length: added }, () => ({ readyAt: now + startMs, freeAt: 0 })));
      else workers = workers.toSorted((a, b) => b.freeAt - a.freeAt).slice(0, decision.size);
    }
  }
  return { sizes, longestWaitMs: Math.max(longestWaitMs, ...waiting.map(({ at }) => now - at)) };
}

const peakOf = ({ sizes }: Outcome): number => Math.max(...sizes.map(({ size }) => size));

describe('ScalePolicy', () => {
  it('grows under a burst before a call gives up, though workers start slowly, and shrinks when it is over', () => {
    const burst = { calls: 160, overMs: 500, serviceMs: 100 };
    const outcome = simulate(SETTINGS, 800, [burst, { calls: 0, overMs: 20_000, serviceMs: 0 }]);
    expect(peakOf(outcome)).toBe(8);
    expect(outcome.longestWaitMs).toBeLessThan(SETTINGS.queueTimeoutMs);
    const firstDown = outcome.sizes.find(
      ({ size }, index) => index > 0 && size < (outcome.sizes[index - 1]?.size ?? 0),
    );
    expect(firstDown?.atMs).toBeGreaterThan(SETTINGS.downAfterMs);
    expect(outcome.sizes.at(-1)?.size).toBe(1);
    // The same with the workers it began with.
    expect(
      simulate({ ...SETTINGS, max: 1 }, 800, [burst, { ...burst, calls: 0, overMs: 20_000 }]).longestWaitMs,
    ).toBeGreaterThan(SETTINGS.queueTimeoutMs);
  });

  it('grows with a rising load before calls wait for long', () => {
    const rising = [1, 2, 3, 4, 5].map((busy) => ({ calls: busy * 100, overMs: 10_000, serviceMs: 100 }));
    const outcome = simulate(SETTINGS, 300, rising);
    expect(outcome.longestWaitMs).toBeLessThan(600);
    expect(peakOf(outcome)).toBeLessThanOrEqual(8);
  });

  it('comes to rest under a steady load, at a size that is neither idle nor full', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 5, max: 150 }), (perSecond, serviceMs) => {
        const outcome = simulate(SETTINGS, 200, [{ calls: perSecond * 40, overMs: 40_000, serviceMs }]);
        const settled = outcome.sizes.filter(({ atMs }) => atMs > 20_000);
        const size = outcome.sizes.at(-1)?.size ?? 0;
        const busy = (perSecond * serviceMs) / 1_000;
        expect(settled.length).toBeLessThanOrEqual(1);
        expect(size).toBeGreaterThanOrEqual(Math.min(8, Math.ceil(busy)));
        expect(size).toBeLessThanOrEqual(Math.min(8, Math.ceil((busy + 1) / 0.8) + 1));
      }),
      { numRuns: 60 },
    );
  });

  const sampleOf = (settings: ScaleSettings) =>
    fc.record({
      stepMs: fc.integer({ min: 0, max: 1_000 }),
      ready: fc.integer({ min: 0, max: settings.max }),
      busy: fc.integer({ min: 0, max: settings.max }),
      queued: fc.integer({ min: 0, max: 1_000 }),
      oldestWaitMs: fc.integer({ min: 0, max: 10_000 }),
      startMs: fc.integer({ min: 0, max: 10_000 }),
    });

  it('keeps its bounds and its patience, whatever it sees', () => {
    fc.assert(
      fc.property(fc.array(sampleOf(SETTINGS), { maxLength: 200 }), (samples) => {
        const policy = new ScalePolicy(SETTINGS);
        let size = 1;
        let nowMs = 0;
        let grewAt = -Infinity;
        let waitedAt = -Infinity;
        for (const { stepMs, ...rest } of samples) {
          nowMs += stepMs;
          const ready = Math.min(rest.ready, size);
          const sample: LoadSample = { ...rest, nowMs, size, ready, busy: Math.min(rest.busy, ready) };
          if (sample.queued > 0 && ready > 0) waitedAt = nowMs;
          const decision = policy.look(sample);
          if (decision === undefined) continue;
          expect(decision.size).not.toBe(size);
          expect(decision.size).toBeGreaterThanOrEqual(SETTINGS.min);
          expect(decision.size).toBeLessThanOrEqual(SETTINGS.max);
          if (decision.size > size) {
            grewAt = nowMs;
          } else {
            expect(decision.reason).toBe('idle');
            expect(nowMs - Math.max(grewAt, waitedAt)).toBeGreaterThan(SETTINGS.downAfterMs);
          }
          size = decision.size;
        }
      }),
    );
  });

  const CALM: LoadSample = { nowMs: 0, size: 2, ready: 2, busy: 0, queued: 0, oldestWaitMs: 0, startMs: 100 };

  it('does not take a delay of the host for one of the workers', () => {
    const policy = new ScalePolicy(SETTINGS);
    policy.look(CALM);
    expect(policy.look({ ...CALM, nowMs: 900, queued: 5, oldestWaitMs: 700 })).toBeUndefined();
    expect(policy.look({ ...CALM, nowMs: 1_000, queued: 5, oldestWaitMs: 800 })).toEqual({ size: 4, reason: 'wait' });
  });

  it('starts no workers for whose calls others are on their way', () => {
    const policy = new ScalePolicy(SETTINGS);
    const waiting = { ...CALM, queued: 2, oldestWaitMs: 60 };
    policy.look(CALM);
    expect(policy.look({ ...waiting, nowMs: 100, size: 4 })).toBeUndefined();
    expect(policy.look({ ...waiting, nowMs: 200, size: 4, queued: 3 })).toEqual({ size: 5, reason: 'wait' });
  });

  it('grows early where workers take long to start and calls soon give up', () => {
    const policy = new ScalePolicy({ ...SETTINGS, queueWaitMs: 4_000 });
    policy.look(CALM);
    expect(policy.look({ ...CALM, nowMs: 100, queued: 1, oldestWaitMs: 1_000, startMs: 300 })).toBeUndefined();
    expect(policy.look({ ...CALM, nowMs: 200, queued: 1, oldestWaitMs: 1_100, startMs: 2_000 })).toEqual({
      size: 3,
      reason: 'wait',
    });
  });

  it('does not grow while no worker lives', () => {
    const policy = new ScalePolicy(SETTINGS);
    policy.look(CALM);
    expect(policy.look({ ...CALM, nowMs: 100, ready: 0, queued: 9, oldestWaitMs: 4_000 })).toBeUndefined();
  });
});
