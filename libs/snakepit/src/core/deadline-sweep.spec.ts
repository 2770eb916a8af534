import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ManualClock } from '../testing/manual-clock.js';
import { DeadlineSweep, type DeadlineBucket, type Expiring } from './deadline-sweep.js';

const INTERVAL = 10;

class Entry implements Expiring {
  sweepBucket: DeadlineBucket | undefined = undefined;
  sweepIndex = -1;
  expiredAt: number | undefined;
  constructor(
    public expiresAt: number,
    readonly react: (nowMs: number) => void = () => {},
  ) {}
  onExpired(nowMs: number): void {
    if (this.expiredAt !== undefined) throw new Error('expired twice');
    this.expiredAt = nowMs;
    this.react(nowMs);
  }
}

function setup(): { clock: ManualClock; sweep: DeadlineSweep } {
  const clock = new ManualClock();
  return { clock, sweep: new DeadlineSweep(clock, INTERVAL) };
}

describe('DeadlineSweep', () => {
  it('runs a timer only while something is watched', () => {
    const { clock, sweep } = setup();
    expect(clock.timers).toBe(0);
    const entry = new Entry(25);
    sweep.watch(entry);
    sweep.watch(new Entry(1_000));
    expect(clock.timers).toBe(1);
    clock.advance(1_010);
    expect(entry.expiredAt).toBe(30);
    expect(sweep.size).toBe(0);
    expect(clock.timers).toBe(0);
  });

  it('never watches an entry without a limit', () => {
    const { clock, sweep } = setup();
    sweep.watch(new Entry(Infinity));
    expect([sweep.size, clock.timers]).toEqual([0, 0]);
  });

  it('notices an entry that is earlier than all before it', () => {
    const { clock, sweep } = setup();
    sweep.watch(new Entry(500));
    clock.advance(100);
    const early = new Entry(115);
    sweep.watch(early);
    clock.advance(20);
    expect(early.expiredAt).toBe(120);
  });

  it('ignores forgetting what it does not watch', () => {
    const { sweep } = setup();
    sweep.watch(new Entry(5));
    sweep.forget(new Entry(5));
    expect(sweep.size).toBe(1);
  });

  it('lets an expired entry be watched again with a later limit', () => {
    const { clock, sweep } = setup();
    const times: number[] = [];
    const entry: Expiring = {
      expiresAt: 10,
      sweepBucket: undefined,
      sweepIndex: -1,
      onExpired(now) {
        times.push(now);
        if (times.length === 2) return;
        this.expiresAt = now + 50;
        sweep.watch(this);
      },
    };
    sweep.watch(entry);
    clock.advance(200);
    expect(times).toEqual([10, 60]);
  });

  it('does not call an entry that another one of the same sweep forgot', () => {
    const { clock, sweep } = setup();
    const second = new Entry(5);
    const first = new Entry(5, () => sweep.forget(second));
    sweep.watch(first);
    sweep.watch(second);
    clock.advance(INTERVAL);
    expect(first.expiredAt).toBe(INTERVAL);
    expect(second.expiredAt).toBeUndefined();
    expect([sweep.size, clock.timers]).toEqual([0, 0]);
  });

  it('leaves an entry alone that another one of the same sweep gave more time', () => {
    const { clock, sweep } = setup();
    const second = new Entry(5);
    const first = new Entry(5, () => {
      sweep.forget(second);
      second.expiresAt = 95;
      sweep.watch(second);
    });
    sweep.watch(first);
    sweep.watch(second);
    clock.advance(INTERVAL);
    expect(second.expiredAt).toBeUndefined();
    clock.advance(90);
    expect(second.expiredAt).toBe(100);
  });

  it('calls nobody and holds no timer after close', () => {
    const { clock, sweep } = setup();
    const entry = new Entry(5);
    sweep.watch(entry);
    sweep.close();
    clock.advance(100);
    expect(entry.expiredAt).toBeUndefined();
    expect([sweep.size, clock.timers, entry.sweepIndex]).toEqual([0, 0, -1]);
  });

  it('calls an entry that was put off at its later time, once', () => {
    const { clock, sweep } = setup();
    const times: number[] = [];
    const entry = new Entry(15, (now) => times.push(now));
    sweep.watch(entry);
    entry.expiresAt = 1_234;
    clock.advance(1_230);
    expect([times, sweep.size, clock.timers]).toEqual([[], 1, 1]);
    clock.advance(30);
    expect([times, sweep.size]).toEqual([[1_240], 0]);
  });

  it('calls nobody after an entry has closed it in the middle of a sweep', () => {
    const { clock, sweep } = setup();
    const others = [new Entry(5), new Entry(8), new Entry(12), new Entry(500)];
    sweep.watch(new Entry(4, () => sweep.close()));
    for (const other of others) sweep.watch(other);
    clock.advance(1_000);
    expect(others.map(({ expiredAt, sweepBucket }) => expiredAt ?? sweepBucket)).toEqual(others.map(() => undefined));
    expect([sweep.size, clock.timers]).toEqual([0, 0]);
  });

  it('keeps no bucket of entries that were forgotten', () => {
    const { clock, sweep } = setup();
    sweep.watch(new Entry(1e9));
    for (let round = 0; round < 1_000; round += 1) {
      const entry = new Entry(clock.now() + 30_000);
      sweep.watch(entry);
      sweep.forget(entry);
      clock.advance(7);
    }
    expect(sweep.buckets).toBeLessThanOrEqual(2);
  });

  it('behaves as a plain list that is looked through, whatever is watched, forgotten, put off and waited for', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('watch' as const), afterMs: fc.integer({ min: -20, max: 80 }) }),
      fc.record({ kind: fc.constant('forget' as const), which: fc.nat(30) }),
      fc.record({ kind: fc.constant('put off' as const), which: fc.nat(30), byMs: fc.integer({ min: 0, max: 60 }) }),
      fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 45 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clock, sweep } = setup();
        const all: Entry[] = [];
        const watched = new Set<Entry>();
        const watchedAt = new Map<Entry, number>();
        // What was late already when it came is noticed by the next sweep.
        const dueAt = (entry: Entry): number => Math.max(entry.expiresAt, watchedAt.get(entry) ?? 0);
        for (const each of steps) {
          if (each.kind === 'watch') {
            const entry = new Entry(clock.now() + each.afterMs, () => watched.delete(entry));
            watchedAt.set(entry, clock.now());
            all.push(entry);
            watched.add(entry);
            sweep.watch(entry);
          } else if (each.kind === 'forget') {
            const entry = all[each.which];
            if (entry === undefined) continue;
            sweep.forget(entry);
            watched.delete(entry);
          } else if (each.kind === 'put off') {
            const entry = all[each.which];
            if (entry !== undefined && watched.has(entry)) entry.expiresAt += each.byMs;
          } else {
            clock.advance(each.ms);
          }
          expect(sweep.size).toBe(watched.size);
          for (const entry of watched) expect(dueAt(entry)).toBeGreaterThan(clock.now() - INTERVAL);
          if (watched.size > 0) expect(clock.timers).toBe(1);
        }
        for (const entry of all) {
          if (entry.expiredAt === undefined) continue;
          expect(entry.expiredAt).toBeGreaterThanOrEqual(entry.expiresAt);
          expect(entry.expiredAt).toBeLessThanOrEqual(dueAt(entry) + INTERVAL);
        }
        clock.advance(200);
        expect([sweep.size, clock.timers]).toEqual([0, 0]);
      }),
    );
  });
});
