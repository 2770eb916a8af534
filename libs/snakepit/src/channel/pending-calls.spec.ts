import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ChannelCall } from './channel.js';
import { PendingCalls } from './pending-calls.js';

const aCall = (command = 'x'): ChannelCall => ({ command }) as ChannelCall;

describe('PendingCalls', () => {
  it('never gives the id 0, and tells apart the calls that use one slot after the other', () => {
    const pending = new PendingCalls();
    const first = pending.add(aCall());
    pending.take(first);
    const second = pending.add(aCall('second'));
    expect(first).toBeGreaterThan(0);
    expect(second).not.toBe(first);
    expect(pending.get(first)).toBeUndefined();
    expect(pending.take(first)).toBeUndefined();
    expect(pending.get(second)?.command).toBe('second');
  });

  it('skips generation 0 when a slot has been used 65535 times', () => {
    const pending = new PendingCalls();
    let id = 0;
    const first = pending.add(aCall());
    pending.take(first);
    for (let round = 1; round < 65_535; round += 1) pending.take((id = pending.add(aCall())));
    expect(id >>> 16).toBe(65_535);
    id = pending.add(aCall('wrapped'));
    expect(id).toBe(first);
    expect(pending.get(id)?.command).toBe('wrapped');
  });

  it('holds 65536 calls, with distinct unsigned ids, and refuses one more', () => {
    const pending = new PendingCalls();
    const ids = new Set(Array.from({ length: 65_536 }, () => pending.add(aCall())));
    expect(ids.size).toBe(65_536);
    expect(Math.min(...[...ids].slice(-10))).toBeGreaterThan(0);
    expect(() => pending.add(aCall())).toThrow('65536');
    expect(pending.size).toBe(65_536);
    pending.take([...ids][7]!);
    expect(pending.add(aCall('again')) & 0xffff).toBe(7);
  });

  it('finds nothing for ids of slots that were never used', () => {
    const pending = new PendingCalls();
    expect([0, 1, 0x10000, 0xffffffff].map((id) => pending.get(id))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('behaves as a Map whose keys are never used twice, whatever is added, taken and asked for', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('take' as const), which: fc.nat(80) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('takeAll' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('invent' as const), id: fc.nat(0xffffffff) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const pending = new PendingCalls();
        const model = new Map<number, ChannelCall>();
        const given: number[] = [];
        for (const each of steps) {
          if (each.kind === 'add') {
            const call = aCall(String(given.length));
            const id = pending.add(call);
            expect(given).not.toContain(id);
            given.push(id);
            model.set(id, call);
          } else if (each.kind === 'take') {
            const id = given[each.which];
            if (id === undefined) continue;
            expect(pending.take(id)).toBe(model.get(id));
            model.delete(id);
          } else if (each.kind === 'invent') {
            expect(pending.get(each.id)).toBe(model.get(each.id));
          } else {
            const taken = pending.takeAll();
            expect(new Map(taken.map(({ id, call }) => [id, call]))).toEqual(model);
            model.clear();
          }
          expect(pending.size).toBe(model.size);
          for (const id of given) expect(pending.get(id)).toBe(model.get(id));
        }
      }),
      { numRuns: 60 },
    );
  });
});
