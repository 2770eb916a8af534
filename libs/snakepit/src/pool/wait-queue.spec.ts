import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Backlog } from './backlog.js';
import type { PoolCall } from './pool-call.js';
import { PRIORITIES, WaitQueue, type Priority, type Waiting } from './wait-queue.js';

class Item implements Waiting {
  queue: WaitQueue<Waiting> | undefined = undefined;
  before: Waiting | undefined = undefined;
  after: Waiting | undefined = undefined;
  constructor(
    readonly name: number,
    readonly priority: Priority,
  ) {}
}

const anyPriority = fc.constantFrom(...PRIORITIES);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('push' as const), priority: anyPriority }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pushFront' as const), priority: anyPriority }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat(40) }) },
);

/** Where a new item of this priority goes in a list that is sorted by priority. */
function placeIn(list: readonly { readonly priority: Priority }[], wanted: Priority, isFront: boolean): number {
  const rank = PRIORITIES.indexOf(wanted);
  const index = list.findIndex((item) => {
    const other = PRIORITIES.indexOf(item.priority);
    return isFront ? other >= rank : other > rank;
  });
  return index < 0 ? list.length : index;
}

describe('WaitQueue', () => {
  it('keeps order as a sorted array does, whatever is pushed, pushed to the front and taken from the middle', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new WaitQueue<Item>();
        const model: Item[] = [];
        let made = 0;
        for (const each of steps) {
          if (each.kind === 'remove') {
            const [item] = model.splice(each.which % Math.max(1, model.length), 1);
            if (item === undefined) continue;
            queue.remove(item);
            expect([item.queue, item.before, item.after]).toEqual([undefined, undefined, undefined]);
          } else {
            const item = new Item((made += 1), each.priority);
            model.splice(placeIn(model, each.priority, each.kind === 'pushFront'), 0, item);
            queue[each.kind](item);
          }
          expect([...queue].map(({ name }) => name)).toEqual(model.map(({ name }) => name));
          expect(queue.size).toBe(model.length);
          for (const band of PRIORITIES) expect(queue.peek(band)).toBe(model.find((item) => item.priority === band));
        }
      }),
    );
  });

  it('refuses an item that waits already and one that does not wait in it', () => {
    const queue = new WaitQueue<Item>();
    const item = new Item(1, 'low');
    queue.push(item);
    expect(() => queue.push(item)).toThrow('two queues');
    expect(() => new WaitQueue<Item>().pushFront(item)).toThrow('two queues');
    expect(() => new WaitQueue<Item>().remove(item)).toThrow('does not wait in');
    expect(queue.size).toBe(1);
  });

  it('lets items leave while it is iterated', () => {
    const queue = new WaitQueue<Item>();
    for (let name = 0; name < 6; name += 1) queue.push(new Item(name, PRIORITIES[name % 3]!));
    for (const item of queue) queue.remove(item);
    expect(queue.size).toBe(0);
  });
});

class Call extends Item {
  constructor(
    name: number,
    priority: Priority,
    readonly profile: { pace: 'fast' | 'slow' | 'unknown' },
  ) {
    super(name, priority);
  }
  get admittedAt(): number {
    return this.name;
  }
}
const asCall = (call: Call): PoolCall => call as unknown as PoolCall;
const nameOf = (call: PoolCall): number => (call as unknown as Call).name;

function backlogOf(calls: readonly Call[]): Backlog<PoolCall> {
  const backlog = new Backlog<PoolCall>();
  for (const call of calls) backlog.push(asCall(call));
  return backlog;
}

describe('Backlog', () => {
  const someCalls = fc
    .array(
      fc.record({ priority: anyPriority, pace: fc.constantFrom('fast' as const, 'slow' as const, 'unknown' as const) }),
      {
        maxLength: 40,
      },
    )
    .map((list) => list.map(({ priority: wanted, pace }, index) => new Call(index, wanted, { pace })));

  it('offers all calls by priority, then by age', () => {
    fc.assert(
      fc.property(someCalls, (calls) => {
        const backlog = backlogOf(calls);
        const taken: number[] = [];
        backlog.drainInto((call) => {
          taken.push(nameOf(call));
          Backlog.remove(call);
          return true;
        });
        const sorted = PRIORITIES.flatMap((band) => calls.filter((call) => call.priority === band));
        expect(taken).toEqual(sorted.map(({ name }) => name));
        expect(backlog.size).toBe(0);
      }),
    );
  });

  it('takes every fast call although slow ones before it are not taken, and the other way round', () => {
    fc.assert(
      fc.property(someCalls, fc.boolean(), (calls, takesFast) => {
        const backlog = backlogOf(calls);
        const taken = new Set<number>();
        backlog.drainInto((call) => {
          if ((call.profile.pace === 'fast') !== takesFast) return false;
          taken.add(nameOf(call));
          Backlog.remove(call);
          return true;
        });
        const expected = calls.filter((call) => (call.profile.pace === 'fast') === takesFast).map(({ name }) => name);
        expect([...taken].toSorted((a, b) => a - b)).toEqual(expected);
        expect(backlog.size).toBe(calls.length - expected.length);
      }),
    );
  });

  it('holds up less urgent calls of a queue whose first is not taken', () => {
    const backlog = backlogOf([
      new Call(0, 'high', { pace: 'fast' }),
      new Call(1, 'normal', { pace: 'fast' }),
      new Call(2, 'low', { pace: 'slow' }),
    ]);
    const offered: number[] = [];
    backlog.drainInto((call) => {
      offered.push(nameOf(call));
      return false;
    });
    expect(offered).toEqual([0, 2]);
  });

  it('stops offering when nobody takes', () => {
    const backlog = backlogOf(
      [0, 1, 2, 3].map((name) => new Call(name, 'normal', { pace: name % 2 === 0 ? 'fast' : 'slow' })),
    );
    const offered: number[] = [];
    backlog.drainInto((call) => {
      offered.push(nameOf(call));
      return false;
    });
    expect(offered).toEqual([0, 1]);
  });

  it('finds a call whose pace became known while it waited', () => {
    const call = new Call(1, 'high', { pace: 'unknown' });
    const backlog = backlogOf([call]);
    call.profile.pace = 'fast';
    Backlog.remove(asCall(call));
    expect([backlog.size, backlog.calls()]).toEqual([0, []]);
    Backlog.remove(asCall(call));
    expect(backlog.size).toBe(0);
  });

  it('lets a call that lost its worker go before all of its kind', () => {
    const backlog = backlogOf([new Call(5, 'normal', { pace: 'fast' })]);
    backlog.pushFront(asCall(new Call(9, 'normal', { pace: 'fast' })));
    const offered: number[] = [];
    backlog.drainInto((call) => {
      offered.push(nameOf(call));
      Backlog.remove(call);
      return true;
    });
    expect(offered).toEqual([9, 5]);
  });
});
