import { describe, expect, it } from 'vitest';

import type { Channel, ChannelCall } from '../channel/index.js';
import { resolveOptions, silentLog, SnakepitError } from '../core/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import type { Adapter, Worker } from '../worker/index.js';
import { settingsOf, type CallOptions } from './call-options.js';
import { CommandProfile } from './command-profile.js';
import { Dispatcher } from './dispatcher.js';
import { poolOptionTable, type PoolOptions } from './options.js';
import { PoolCall } from './pool-call.js';

const adapter: Adapter = { name: 'none', prepare: () => Promise.reject(new Error('never launched')) };

/** A dispatcher before workers that only keep what they are given. */
function setUp(workerIds: readonly string[], options: Partial<PoolOptions> = {}) {
  const clock = new ManualClock();
  const homes = new Map<string, string>();
  const dispatcher = new Dispatcher({
    name: 'pool',
    instance: 'test',
    options: resolveOptions(poolOptionTable, { adapter, ...options }),
    affinity: {
      lastWorkerOf: (session) => homes.get(session),
      rememberWorker: (session, worker) => void homes.set(session, worker),
    },
    clock,
    log: silentLog,
    soon: (task) => task(),
    refusal: () => undefined,
    mayGrow: () => false,
    onNestedWait: () => {},
  });
  const sent: Record<string, ChannelCall[]> = {};
  const workers = workerIds.map((id) => {
    const inHand = (sent[id] = [] as ChannelCall[]);
    const channel: Partial<Channel> = {
      maxInFlight: Infinity,
      pipelineBudgetUs: 200,
      lastHeardAt: 0,
      send: (call) => inHand.push(call),
    };
    const worker = { id, channel, state: { kind: 'ready' } } as unknown as Worker;
    dispatcher.seat(worker);
    return worker;
  });
  const slow = profile(50_000);
  const admit = (callOptions: CallOptions = {}, of = slow): Array<SnakepitError | 'done'> => {
    const outcome: Array<SnakepitError | 'done'> = [];
    const listener = {
      onValue: () => void outcome.push('done'),
      onError: (error: SnakepitError) => void outcome.push(error),
      onChunk: () => {},
      onEnd: () => {},
    };
    const settings = settingsOf('work', 'pool', callOptions);
    const call = { command: 'work', args: null, profile: of, timeoutMs: 60_000 } as const;
    dispatcher.admit(new PoolCall({ ...call, owner: dispatcher, settings, admittedAt: clock.now(), listener }));
    return outcome;
  };
  return { clock, dispatcher, workers, sent, homes, admit };
}

function profile(serviceUs: number): CommandProfile {
  const learned = new CommandProfile('call');
  learned.learn(serviceUs);
  return learned;
}

const exited = (): SnakepitError => new SnakepitError('WORKER_EXITED');

describe('a call that waits', () => {
  it.each([true, false])(
    'for its second attempt may have run, unless it never left the host (written: %s)',
    (wasWritten) => {
      const { dispatcher, workers, sent, admit } = setUp(['a']);
      const outcome = admit({ idempotent: true });
      dispatcher.unseat(workers[0]!);
      dispatcher.callsLost([{ call: sent['a']![0]!, wasWritten }], exited);
      dispatcher.failWaiting(() => new SnakepitError('POOL_NOT_READY'));
      const delivery = wasWritten ? 'may-have-run' : 'not-started';
      expect(outcome).toMatchObject([{ code: 'POOL_NOT_READY', delivery }]);
    },
  );

  it('may have run when its second worker says that it did not start', () => {
    const { dispatcher, workers, sent, admit } = setUp(['a', 'b'], { retry: { initialDelayMs: 0 } });
    const outcome = admit({ idempotent: true });
    const [holder, other] = sent['a']!.length > 0 ? ['a', 'b'] : ['b', 'a'];
    dispatcher.unseat(workers.find(({ id }) => id === holder)!);
    dispatcher.callsLost([{ call: sent[holder!]![0]!, wasWritten: true }], exited);
    dispatcher.setRoom(
      workers.find(({ id }) => id === other)!,
      true,
    );
    sent[other!]![0]!.onFailure(new SnakepitError('INVALID_ARGUMENTS'), 0);
    expect(outcome).toMatchObject([{ code: 'INVALID_ARGUMENTS', delivery: 'may-have-run' }]);
  });

  it('has lost no attempt by a worker that ended before it was written', () => {
    const { dispatcher, workers, sent, admit } = setUp(['a', 'b'], { maxAttempts: 2, retry: { initialDelayMs: 0 } });
    const outcome = admit({ idempotent: true });
    const [call] = sent['a']!.length > 0 ? sent['a']! : sent['b']!;
    for (const wasWritten of [false, true]) {
      dispatcher.callsLost([{ call: call!, wasWritten }], exited);
      dispatcher.setRoom(workers[0]!, true);
    }
    expect([outcome, dispatcher.waiting]).toEqual([[], 0]);
    dispatcher.callsLost([{ call: call!, wasWritten: true }], exited);
    expect(outcome).toMatchObject([{ code: 'WORKER_EXITED' }]);
  });

  it('and is refused because its session has a busy worker by then, leaves the queue for good', () => {
    const { dispatcher, sent, homes, admit } = setUp(['a', 'b'], { affinity: 'strict-fail-fast' });
    admit();
    admit();
    const outcome = admit({ session: 's' });
    admit();
    homes.set('s', 'a');
    sent['b']![0]!.onResult(1, 50_000);
    expect(outcome).toMatchObject([{ code: 'SESSION_WORKER_UNAVAILABLE' }]);
    expect([dispatcher.waiting, sent['b']!.length]).toEqual([0, 2]);
    sent['a']![0]!.onResult(1, 50_000);
    expect(sent['a']).toHaveLength(1);
  });

  it('for the busy worker of its session does not hold up those behind it', () => {
    const { clock, dispatcher, workers, sent, homes, admit } = setUp(['a', 'b'], { affinity: 'strict-queue' });
    admit();
    admit();
    admit({ session: 's' });
    clock.advance(1);
    admit();
    homes.set('s', 'a');
    expect(dispatcher.waiting).toBe(2);
    sent['b']![0]!.onResult(1, 50_000);
    // It was put aside for its own worker, and the one behind it has the other.
    expect([sent['a']!.length, sent['b']!.length, dispatcher.waiting]).toEqual([1, 2, 1]);
    dispatcher.setRoom(workers[0]!, true);
    sent['a']![0]!.onResult(1, 50_000);
    expect([sent['a']!.length, dispatcher.waiting]).toEqual([2, 0]);
  });

  it('for an idle worker is not passed by lighter ones for as long as they come', () => {
    const { clock, dispatcher, sent, admit } = setUp(['a']);
    const [light, heavy] = [profile(5), profile(250)];
    admit({}, light);
    admit({}, heavy);
    expect(dispatcher.waiting).toBe(1);
    clock.advance(1);
    admit({}, light);
    admit({ priority: 'low' }, light);
    expect([sent['a']!.length, dispatcher.waiting]).toEqual([1, 3]);
    admit({ priority: 'high' }, light);
    expect([sent['a']!.length, dispatcher.waiting]).toEqual([2, 3]);
    sent['a']![0]!.onResult(1, 5);
    sent['a']![1]!.onResult(1, 5);
    // Now it is idle.
    expect([sent['a']!.length, dispatcher.waiting]).toEqual([3, 2]);
  });

  it('for want of room is not passed by lighter ones that are less urgent', () => {
    const { sent, admit } = setUp(['a']);
    const [light, heavy] = [profile(60), profile(150)];
    admit({}, light);
    admit({}, light);
    admit({}, light);
    admit({ priority: 'high' }, heavy);
    admit({}, light);
    expect(sent['a']).toHaveLength(3);
    // Room for a light one is made, which the heavy one cannot use yet.
    sent['a']![0]!.onResult(1, 60);
    expect(sent['a']).toHaveLength(3);
    sent['a']![1]!.onResult(1, 60);
    sent['a']![2]!.onResult(1, 60);
    expect((sent['a']![3] as PoolCall).profile).toBe(heavy);
  });

  it('for a worker that is kept for fast ones gets it as soon as these have not come for 100 ms', () => {
    const { clock, sent, admit } = setUp(['a', 'b']);
    admit();
    admit({}, profile(5));
    admit();
    clock.advance(60);
    // The other worker answers one more fast call, and from then on it is kept free for 100 ms.
    sent['b']![0]!.onResult(1, 5);
    admit({}, profile(5));
    sent['b']![1]!.onResult(1, 5);
    clock.advance(99);
    expect(sent['b']).toHaveLength(2);
    clock.advance(1);
    expect(sent['b']).toHaveLength(3);
  });
});
