import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ManualClock } from '../testing/manual-clock.js';
import { DeadlineSweep, type Expiring } from './deadline-sweep.js';

const INTERVAL = 10;

class Entry implements Expiring {
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

  it('behaves as a plain list that is looked through, whatever is watched, forgotten and waited for', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('watch' as const), afterMs: fc.integer({ min: 0, max: 80 }) }),
      fc.record({ kind: fc.constant('forget' as const), which: fc.nat(30) }),
      fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 45 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clock, sweep } = setup();
        const all: Entry[] = [];
        const watched = new Set<Entry>();
        for (const each of steps) {
          if (each.kind === 'watch') {
            const entry = new Entry(clock.now() + each.afterMs, () => watched.delete(entry));
            all.push(entry);
            watched.add(entry);
            sweep.watch(entry);
          } else if (each.kind === 'forget') {
            const entry = all[each.which];
            if (entry === undefined) continue;
            sweep.forget(entry);
            watched.delete(entry);
          } else {
            clock.advance(each.ms);
          }
          expect(sweep.size).toBe(watched.size);
          for (const entry of watched) expect(entry.expiresAt).toBeGreaterThan(clock.now() - INTERVAL);
          if (watched.size > 0) expect(clock.timers).toBe(1);
        }
        for (const { expiredAt, expiresAt } of all) {
          if (expiredAt === undefined) continue;
          expect(expiredAt).toBeGreaterThanOrEqual(expiresAt);
          expect(expiredAt).toBeLessThanOrEqual(expiresAt + INTERVAL);
        }
        clock.advance(200);
        expect([sweep.size, clock.timers]).toEqual([0, 0]);
      }),
    );
  });
});
