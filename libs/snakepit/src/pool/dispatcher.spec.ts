import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import type { Channel, ChannelCall } from '../channel/index.js';
import { resolveOptions, silentLog, type SnakepitError } from '../core/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import type { Adapter, Worker } from '../worker/index.js';
import { settingsOf } from './call-options.js';
import { CommandProfile } from './command-profile.js';
import { Dispatcher } from './dispatcher.js';
import { poolOptionTable } from './options.js';
import { PoolCall } from './pool-call.js';

const adapter: Adapter = { name: 'none', prepare: () => Promise.reject(new Error('never launched')) };

/** A worker whose channel only keeps what it was given. */
function fakeWorker(id: string, clock: ManualClock): { worker: Worker; sent: ChannelCall[] } {
  const sent: ChannelCall[] = [];
  const channel: Partial<Channel> = {
    maxInFlight: Infinity,
    get lastHeardAt() {
      return clock.now();
    },
    send: (call) => sent.push(call),
    cancel: () => true,
  };
  return { worker: { id, channel, state: { kind: 'ready' } } as unknown as Worker, sent };
}

function setUp(workers: number) {
  const clock = new ManualClock();
  const dispatcher = new Dispatcher({
    name: 'pool',
    options: resolveOptions(poolOptionTable, { adapter }),
    affinity: { lastWorkerOf: () => undefined, rememberWorker: () => {} },
    clock,
    log: silentLog,
    refusal: () => undefined,
  });
  const seats = Array.from({ length: workers }, (_, index) => fakeWorker(`pool-${index}`, clock));
  for (const { worker } of seats) dispatcher.seat(worker);

  const fast = new CommandProfile('call');
  fast.learn(10);
  const slow = new CommandProfile('call');
  slow.learn(50_000);
  const admit = (profile: CommandProfile): { outcome: Array<SnakepitError | 'done'> } => {
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
      kind: 'call',
      settings: settingsOf('work', 'pool', {}),
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

  it('leaves no timer behind when nothing waits', async () => {
    const { clock, dispatcher, seats, slow, admit } = setUp(1);
    admit(slow);
    admit(slow);
    seats[0]!.sent[0]!.onResult(1, 10);
    await nextTurn();
    seats[0]!.sent[1]!.onResult(1, 10);
    expect(dispatcher.open).toBe(0);
    clock.advance(20);
    expect(clock.timers).toBe(0);
  });
});
