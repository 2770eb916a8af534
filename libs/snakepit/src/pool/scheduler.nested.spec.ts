import { describe, expect, it } from 'vitest';

import { CommandProfile } from './command-profile.js';
import { Lane, Scheduler } from './scheduler.js';

const unknown = new CommandProfile('call');
const fast = new CommandProfile('call');
fast.learn(10);

function setUp(lanes: number, lent = 0) {
  const scheduler = new Scheduler({ window: 64, concurrency: 1 });
  const own = Array.from({ length: lanes }, (_, n) => new Lane(`w${n}`, Infinity, 200));
  const extra = Array.from({ length: lent }, (_, n) => new Lane(`e${n}`, Infinity, 200, true));
  for (const lane of [...own, ...extra]) scheduler.add(lane);
  return { scheduler, own, extra };
}

describe('Scheduler, for nested calls', () => {
  it('takes an idle worker first, then one whose calls all rest in tools, then a lent one', () => {
    const { scheduler, own, extra } = setUp(2, 1);
    expect(scheduler.pickNested(unknown)).toBe(own[0]);
    for (const lane of own) scheduler.begin(lane, unknown, 0);
    expect(scheduler.pickNested(unknown)).toBe(extra[0]);
    own[1]!.resting += 1;
    expect(scheduler.pickNested(unknown)).toBe(own[1]);
  });

  it('takes the resting worker with the fewest calls', () => {
    const { scheduler, own } = setUp(2);
    for (const lane of [own[0]!, own[0]!, own[1]!]) {
      scheduler.begin(lane, unknown, 0);
      lane.resting += 1;
    }
    expect(scheduler.pickNested(unknown)).toBe(own[1]);
  });

  it('takes none that a tool holds, has work of its own, or no room', () => {
    const { scheduler, own } = setUp(3);
    scheduler.begin(own[0]!, unknown, 0);
    own[0]!.blocked = 1;
    scheduler.begin(own[1]!, unknown, 0);
    own[2]!.hasRoom = false;
    expect(scheduler.pickNested(unknown)).toBeUndefined();
  });

  it('leaves lent workers alone where the call must not go there, and gives them to no other call', () => {
    const { scheduler, own, extra } = setUp(1, 1);
    scheduler.begin(own[0]!, unknown, 0);
    expect(scheduler.pickNested(unknown, false)).toBeUndefined();
    expect(scheduler.pick(unknown, 0)).toBeUndefined();
    expect(scheduler.pickNested(unknown)).toBe(extra[0]);
  });

  it('puts nothing behind a call that a tool holds, however fast it is', () => {
    const { scheduler, own } = setUp(1);
    scheduler.begin(own[0]!, fast, 0);
    expect(scheduler.pick(fast, 0)).toBe(own[0]);
    own[0]!.blocked = 1;
    expect(scheduler.pick(fast, 0)).toBeUndefined();
  });

  it('has the last worker run empty for them that fast calls would keep busy for ever', () => {
    const { scheduler, own } = setUp(2);
    const [held, busy] = own as [Lane, Lane];
    scheduler.begin(held, unknown, 0);
    held.blocked = 1;
    scheduler.begin(busy, fast, 0);
    scheduler.claim(0);
    expect(scheduler.pick(fast, 0)).toBe(busy);
    scheduler.claimForNested();
    expect(scheduler.pick(fast, 0)).toBeUndefined();
  });

  it('is blocked when every worker is held, lent ones included', () => {
    const { scheduler, own, extra } = setUp(2, 1);
    expect(scheduler.isBlocked).toBe(false);
    for (const lane of own) lane.blocked = 1;
    expect(scheduler.isBlocked).toBe(false);
    extra[0]!.blocked = 1;
    expect(scheduler.isBlocked).toBe(true);
    expect(new Scheduler({ window: 1, concurrency: 1 }).isBlocked).toBe(false);
  });

  it('keeps its books of slow workers without the lent ones', () => {
    const { scheduler, own, extra } = setUp(2, 1);
    scheduler.pick(fast, 0);
    const booked = scheduler.begin(extra[0]!, unknown, 0);
    // One of two stays free of slow calls: the lent one does not count as the other.
    expect(scheduler.pick(unknown, 0)).toBe(own[0]);
    scheduler.end(extra[0]!, booked, 1);
    scheduler.remove(extra[0]!);
    scheduler.begin(own[0]!, unknown, 1);
    expect(scheduler.pick(unknown, 1)).toBeUndefined();
  });
});
