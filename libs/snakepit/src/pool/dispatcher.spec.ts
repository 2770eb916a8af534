import { describe, expect, it } from 'vitest';

import type { Channel, ChannelCall } from '../channel/index.js';
import { resolveOptions, silentLog, type SnakepitError } from '../core/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import type { Adapter, Worker } from '../worker/index.js';
import { settingsOf } from './call-options.js';
import { CommandProfile } from './command-profile.js';
import { Dispatcher } from './dispatcher.js';
import { poolOptionTable, type PoolOptions } from './options.js';
import { PoolCall } from './pool-call.js';

const adapter: Adapter = { name: 'none', prepare: () => Promise.reject(new Error('never launched')) };

/** A worker whose channel only keeps what it was given. */
function fakeWorker(id: string, clock: ManualClock): { worker: Worker; sent: ChannelCall[] } {
  const sent: ChannelCall[] = [];
  const channel: Partial<Channel> = {
    maxInFlight: Infinity,
    pipelineBudgetUs: 200,
    get lastHeardAt() {
      return clock.now();
    },
    send: (call) => sent.push(call),
    cancel: () => true,
  };
  return { worker: { id, channel, state: { kind: 'ready' }, leaveIfIdle: () => {} } as unknown as Worker, sent };
}

function setUp(workers: number, soon: (task: () => void) => void = (task) => task(), given: Partial<PoolOptions> = {}) {
  const clock = new ManualClock();
  const homes = new Map<string, string>();
  const dispatcher = new Dispatcher({
    name: 'pool',
    instance: 'test',
    options: resolveOptions(poolOptionTable, { adapter, ...given }),
    affinity: {
      lastWorkerOf: (session) => homes.get(session),
      rememberWorker: (session, workerId) => void homes.set(session, workerId),
    },
    clock,
    log: silentLog,
    soon,
    refusal: () => undefined,
    mayGrow: () => false,
    onNestedWait: () => {},
  });
  const seats = Array.from({ length: workers }, (_, index) => fakeWorker(`pool-${index}`, clock));
  for (const { worker } of seats) dispatcher.seat(worker);

  const fast = new CommandProfile('call');
  fast.learn(10);
  const slow = new CommandProfile('call');
  slow.learn(50_000);
  const admit = (profile: CommandProfile, session?: string): { outcome: Array<SnakepitError | 'done'> } => {
    const outcome: Array<SnakepitError | 'done'> = [];
    const listener = {
      onValue: () => void outcome.push('done'),
      onError: (error: SnakepitError) => void outcome.push(error),
      onChunk: () => {},
      onEnd: () => {},
    };
    const call = new PoolCall({
      owner: dispatcher,
      command: 'work',
      args: null,
      settings: settingsOf('work', 'pool', { session }),
      profile,
      admittedAt: clock.now(),
      timeoutMs: 60_000,
      listener,
    });
    dispatcher.admit(call);
    return { outcome };
  };
  return { clock, dispatcher, seats, fast, slow, admit };
}

describe('Dispatcher', () => {
  it('keeps a worker free for fast calls while they come, and gives it to a waiting slow call when they stop', () => {
    const { clock, dispatcher, seats, fast, slow, admit } = setUp(2);
    admit(fast);
    seats.flatMap(({ sent }) => sent).forEach((call) => call.onResult(1, 10));
    admit(slow);
    admit(slow);
    expect(dispatcher.waiting).toBe(1);
    clock.advance(150);
    expect(dispatcher.waiting).toBe(0);
    expect(seats.map(({ sent }) => sent.length).toSorted()).toEqual([1, 2]);
  });

  it('lets calls of a command that turns out fast pass slow ones they waited behind', () => {
    const { seats, fast, slow, admit } = setUp(2);
    admit(fast);
    seats[0]!.sent[0]!.onResult(1, 10);
    const unknown = new CommandProfile('call');
    admit(unknown);
    admit(slow);
    admit(slow);
    admit(unknown);
    expect(seats.map(({ sent }) => sent.length)).toEqual([2, 0]);
    seats[0]!.sent[1]!.onResult(1, 10);
    expect(seats.map(({ sent }) => sent.length)).toEqual([3, 1]);
  });

  it('lets a worker run empty for a slow call that came before the fast ones that wait', () => {
    const { seats, fast, slow, admit } = setUp(1);
    const [{ sent }] = seats as [(typeof seats)[0]];
    for (let count = 0; count < 25; count += 1) admit(fast);
    expect(sent).toHaveLength(20);
    admit(slow);
    admit(fast);
    for (let answered = 0; answered < 25; answered += 1) sent[answered]!.onResult(1, 10);
    // The five that were there before it went first, and the one that came after it waits.
    expect(sent).toHaveLength(26);
    sent[25]!.onResult(1, 50_000);
    expect(sent).toHaveLength(27);
  });

  it('gives the room of several answers away at once, to those who waited before those who come', () => {
    const tasks: Array<() => void> = [];
    const { dispatcher, seats, slow, admit } = setUp(2, (task) => tasks.push(task));
    const sent = () => seats.map((seat) => seat.sent.length);
    for (let count = 0; count < 4; count += 1) admit(slow);
    expect([sent(), dispatcher.waiting]).toEqual([[1, 1], 2]);
    for (const seat of seats) seat.sent[0]!.onResult(1, 50_000);
    expect([sent(), tasks.length]).toEqual([[1, 1], 1]);
    admit(slow);
    expect([sent(), dispatcher.waiting]).toEqual([[2, 2], 1]);
    tasks[0]!();
    expect([sent(), dispatcher.waiting]).toEqual([[2, 2], 1]);
    for (const seat of seats) seat.sent[1]!.onResult(1, 50_000);
    tasks[1]!();
    expect([sent(), dispatcher.waiting]).toEqual([[3, 2], 0]);
  });

  describe('sessions with strict affinity', () => {
    const leave = (worker: Worker, reason: string): void => {
      Object.assign(worker, { state: { kind: 'draining', reason } });
    };

    it('move to one other worker with the calls that wait, when theirs leaves in good health', () => {
      const { clock, dispatcher, seats, slow, admit } = setUp(2, undefined, { affinity: 'strict-queue' });
      const [one, two] = seats as [(typeof seats)[0], (typeof seats)[0]];
      const calls = ['s', 's', 's'].map((session) => admit(slow, session));
      expect([one.sent.length, two.sent.length, dispatcher.waiting]).toEqual([1, 0, 2]);
      leave(one.worker, 'restart');
      dispatcher.unseat(one.worker);
      const third = fakeWorker('pool-3', clock);
      dispatcher.seat(third.worker);
      expect([two.sent.length, third.sent.length, dispatcher.waiting]).toEqual([1, 0, 1]);
      const other = admit(slow);
      expect(third.sent).toHaveLength(1);
      two.sent[0]!.onResult(1, 50_000);
      two.sent[1]!.onResult(1, 50_000);
      one.sent[0]!.onResult(1, 50_000);
      third.sent[0]!.onResult(1, 50_000);
      expect([...calls, other].map(({ outcome }) => outcome)).toEqual([['done'], ['done'], ['done'], ['done']]);
      expect([dispatcher.waiting, dispatcher.open]).toEqual([0, 0]);
    });

    it('do not keep calls from a worker that came before theirs', () => {
      const { clock, seats, slow, admit } = setUp(1, undefined, { affinity: 'strict-queue' });
      const [{ sent }] = seats as [(typeof seats)[0]];
      admit(slow, 's');
      clock.advance(1);
      const { outcome } = admit(slow);
      for (let count = 0; count < 3; count += 1) {
        clock.advance(1);
        admit(slow, 's');
      }
      sent[0]!.onResult(1, 50_000);
      sent[1]!.onResult(1, 50_000);
      expect(outcome).toEqual(['done']);
      for (let answered = 2; answered < 5; answered += 1) sent[answered]!.onResult(1, 50_000);
      expect(sent).toHaveLength(5);
    });

    it('lose the calls that wait for a worker with which something is wrong', () => {
      const { dispatcher, seats, slow, admit } = setUp(2, undefined, { affinity: 'strict-queue' });
      admit(slow, 's');
      const { outcome } = admit(slow, 's');
      leave(seats[0]!.worker, 'frozen');
      dispatcher.unseat(seats[0]!.worker);
      expect(outcome).toMatchObject([{ code: 'SESSION_WORKER_UNAVAILABLE' }]);
      expect(dispatcher.waiting).toBe(0);
    });

    it('have a call refused for good when their worker is busy by the time it would have its turn', () => {
      const { dispatcher, seats, slow, admit } = setUp(1, undefined, { affinity: 'strict-fail-fast' });
      const [{ sent }] = seats as [(typeof seats)[0]];
      admit(slow);
      admit(slow, 's');
      const { outcome } = admit(slow, 's');
      sent[0]!.onResult(1, 50_000);
      expect(outcome).toMatchObject([{ code: 'SESSION_WORKER_UNAVAILABLE', delivery: 'not-started' }]);
      sent[1]!.onResult(1, 50_000);
      expect(sent).toHaveLength(2);
      expect([dispatcher.waiting, dispatcher.open]).toEqual([0, 0]);
    });
  });

  it('leaves no timer behind when nothing waits', () => {
    const { clock, dispatcher, seats, slow, admit } = setUp(1);
    admit(slow);
    admit(slow);
    seats[0]!.sent[0]!.onResult(1, 10);
    seats[0]!.sent[1]!.onResult(1, 10);
    expect(dispatcher.open).toBe(0);
    clock.advance(20);
    expect(clock.timers).toBe(0);
  });
});
