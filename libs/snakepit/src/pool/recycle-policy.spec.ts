import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { RecyclePolicy, type RecycleSettings, type WorkerUse } from './recycle-policy.js';

const OFF: RecycleSettings = { maxCalls: 0, ttlMs: 0, idleMs: 0, maxRssBytes: 0, jitterPercent: 0 };
const FRESH: WorkerUse = { calls: 0, inFlight: 0, startedAt: 0, rssBytes: 1_000 };

const policyOf = (settings: Partial<RecycleSettings>, random = () => 0) =>
  new RecyclePolicy({ ...OFF, ...settings }, random);

describe('RecyclePolicy', () => {
  it.each<[string, Partial<RecycleSettings>, Partial<WorkerUse>, Partial<WorkerUse>, string]>([
    ['maxCalls', { maxCalls: 100 }, { calls: 99 }, { calls: 100 }, 'max-calls'],
    ['maxRssBytes', { maxRssBytes: 1_000 }, { rssBytes: 1_000 }, { rssBytes: 1_001 }, 'max-rss'],
    ['ttlMs', { ttlMs: 5_000 }, { startedAt: 5_001 }, { startedAt: 5_000 }, 'ttl'],
  ])('lets a worker go at %s and not before', (_, settings, before, at, reason) => {
    const policy = policyOf(settings);
    expect(policy.look({}, { ...FRESH, ...before }, 10_000)).toBeUndefined();
    expect(policy.look({}, { ...FRESH, ...at }, 10_000)).toBe(reason);
  });

  it('counts a worker as idle from the last look that saw it work', () => {
    const policy = policyOf({ idleMs: 100 });
    const worker = {};
    const used = { ...FRESH, calls: 1 };
    expect(policy.look(worker, used, 0)).toBeUndefined();
    expect(policy.look(worker, { ...used, inFlight: 1 }, 90)).toBeUndefined();
    expect(policy.look(worker, used, 189)).toBeUndefined();
    expect(policy.look(worker, { ...used, calls: 2 }, 190)).toBeUndefined();
    expect(policy.look(worker, { ...used, calls: 2 }, 289)).toBeUndefined();
    expect(policy.look(worker, { ...used, calls: 2 }, 290)).toBe('idle');
  });

  it('does not take a worker for idle that never had a call', () => {
    const policy = policyOf({ idleMs: 100 });
    const worker = {};
    policy.look(worker, FRESH, 0);
    expect(policy.look(worker, FRESH, 1_000_000)).toBeUndefined();
  });

  it('does not know the memory of a worker that it is not told', () => {
    expect(policyOf({ maxRssBytes: 1 }).look({}, { ...FRESH, rssBytes: undefined }, 0)).toBeUndefined();
  });

  it('is off without limits, whatever the workers do', () => {
    const use = fc.record({ calls: fc.nat(), inFlight: fc.nat(), startedAt: fc.nat(), rssBytes: fc.nat() });
    const policy = policyOf({ jitterPercent: 50 }, () => 0.9);
    expect(policy.isOff).toBe(true);
    fc.assert(fc.property(use, fc.nat(), (each, now) => policy.look({}, each, each.startedAt + now) === undefined));
  });

  it('holds every worker to a limit of its own, never above the given one nor below the jitter', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 0, max: 90 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (limit, jitterPercent, draw) => {
          const policy = policyOf({ maxCalls: limit, ttlMs: limit, jitterPercent }, () => draw);
          const lowest = Math.max(1, Math.floor((limit * (100 - jitterPercent)) / 100));
          expect(policy.look({}, { ...FRESH, calls: limit }, 0)).toBe('max-calls');
          expect(policy.look({}, { ...FRESH, calls: lowest - 1 }, 0)).toBeUndefined();
          expect(policy.look({}, FRESH, limit)).toBe('ttl');
          expect(policy.look({}, FRESH, lowest - 1)).toBeUndefined();
        },
      ),
    );
  });

  it('spreads workers that were started together', () => {
    let draw = 0;
    const policy = policyOf({ ttlMs: 1_000, jitterPercent: 50 }, () => (draw += 0.1) % 1);
    const workers = Array.from({ length: 9 }, () => ({}));
    const leftBy = (now: number) => workers.filter((each) => policy.look(each, FRESH, now) !== undefined).length;
    expect([510, 610, 710, 810, 910, 1_000].map(leftBy)).toEqual([0, 2, 4, 6, 8, 9]);
  });
});
