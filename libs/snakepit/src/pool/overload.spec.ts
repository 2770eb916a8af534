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

interface Made {
  readonly outcome: Array<SnakepitError | 'done'>;
  /** When it was made and when it was settled. */
  readonly atMs: number;
  endMs: number;
}

/** A dispatcher before workers that run one call after the other, each for `serviceMs`; for ever where that is undefined. */
function setUp(size: number, options: Partial<PoolOptions> = {}, serviceMs?: () => number) {
  const clock = new ManualClock();
  let hopeless: SnakepitError | undefined;
  const dispatcher = new Dispatcher({
    name: 'pool',
    instance: 'test',
    options: resolveOptions(poolOptionTable, { adapter, ...options }),
    affinity: { lastWorkerOf: () => undefined, rememberWorker: () => {} },
    clock,
    log: silentLog,
    soon: (task) => task(),
    refusal: () => hopeless,
    mayGrow: () => false,
    onNestedWait: () => {},
  });
  const sent: ChannelCall[] = [];
  const workers = Array.from({ length: size }, (_, index) => {
    const channel: Partial<Channel> = {
      maxInFlight: Infinity,
      pipelineBudgetUs: 200,
      get lastHeardAt() {
        return clock.now();
      },
      send: (call) => {
        if (serviceMs !== undefined) {
          const ms = serviceMs();
          clock.after(ms, () => call.onResult(null, Math.min(65_535, ms * 1_000)));
        }
        return sent.push(call);
      },
      cancel: () => true,
    };
    const worker = { id: `pool-${index}`, channel, state: { kind: 'ready' }, dumpStacks: () => undefined };
    dispatcher.seat(worker as unknown as Worker);
    return worker as unknown as Worker;
  });
  const profile = new CommandProfile('call');
  profile.learn(50_000);
  const admit = (callOptions: CallOptions = {}, args: unknown = null): Made => {
    const made: Made = { outcome: [], atMs: clock.now(), endMs: Infinity };
    const settle = (outcome: SnakepitError | 'done'): void => {
      made.endMs = clock.now();
      made.outcome.push(outcome);
    };
    const listener = { onValue: () => settle('done'), onError: settle, onChunk: () => {}, onEnd: () => {} };
    const settings = settingsOf('work', 'pool', callOptions);
    const { timeoutMs = 60_000 } = callOptions;
    const admittedAt = clock.now();
    dispatcher.admit(
      new PoolCall({ owner: dispatcher, command: 'work', args, settings, profile, admittedAt, timeoutMs, listener }),
    );
    return made;
  };
  const setHopeless = (error: SnakepitError | undefined): void => void (hopeless = error);
  return { clock, dispatcher, workers, sent, profile, admit, setHopeless };
}

describe('the limit of bytes that wait', () => {
  it('refuses what would exceed it, names itself, and lets go of what has left', () => {
    const { dispatcher, sent, admit } = setUp(1, { maxQueueBytes: 2_500 });
    const large = Buffer.alloc(1_000);
    const calls = [1, 2, 3, 4].map(() => admit({}, { large }).outcome);
    // The first is in its worker's hands, where it takes none of the queue.
    expect(calls.slice(0, 3)).toEqual([[], [], []]);
    expect(calls[3]).toMatchObject([{ code: 'POOL_SATURATED', delivery: 'not-started', retryable: true }]);
    const [error] = calls[3] as [SnakepitError];
    expect(error.message).toMatch(/2 calls wait with arguments of \d+ bytes \(maxQueueBytes 2500\).*'maxQueueBytes'/);
    expect(admit({}, { a: 1 }).outcome).toEqual([]);
    sent[0]!.onResult(1, 50_000);
    expect(admit({}, { large }).outcome).toEqual([]);
    expect(dispatcher.waiting).toBe(3);
  });

  it('counts nothing twice when calls come back from a worker that died', () => {
    const { dispatcher, workers, sent, admit } = setUp(1, { maxQueueBytes: 2_500 });
    const large = Buffer.alloc(1_000);
    const calls = [1, 2].map(() => admit({}, large).outcome);
    sent[0]!.onResult(1, 50_000);
    for (let death = 0; death < 5; death += 1) {
      const [again] = sent.slice(-1);
      dispatcher.setRoom(workers[0]!, false);
      dispatcher.callsLost([{ call: again!, wasWritten: false }], () => new SnakepitError('WORKER_EXITED'));
      expect(dispatcher.waiting).toBe(1);
      dispatcher.setRoom(workers[0]!, true);
    }
    calls.push(...[1, 2, 3].map(() => admit({}, large).outcome));
    expect(calls.map((outcome) => outcome.length)).toEqual([1, 0, 0, 0, 1]);
  });
});

describe('a full queue', () => {
  it('gives the place of the youngest call of lowest priority to one of higher priority', () => {
    const { dispatcher, admit } = setUp(1, { maxQueue: 3 });
    admit();
    const [low, lower, normal] = [admit({ priority: 'low' }), admit({ priority: 'low' }), admit()];
    const first = admit({ priority: 'high' });
    expect([low, lower, normal, first].map(({ outcome }) => outcome.length)).toEqual([0, 1, 0, 0]);
    expect(lower.outcome).toMatchObject([{ code: 'POOL_SATURATED', delivery: 'not-started' }]);
    expect((lower.outcome[0] as SnakepitError).message).toMatch(/higher priority took its place.*maxQueue 3/);
    admit();
    expect(low.outcome).toHaveLength(1);
    expect(admit().outcome).toMatchObject([{ code: 'POOL_SATURATED' }]);
    expect(admit({ priority: 'low' }).outcome).toMatchObject([{ code: 'POOL_SATURATED' }]);
    expect(dispatcher.waiting).toBe(3);
  });

  it('drops as many calls of lower priority as the bytes of one of higher priority need, or none', () => {
    const { dispatcher, admit } = setUp(1, { maxQueueBytes: 4_200 });
    admit();
    const small = [1, 2, 3, 4].map(() => admit({ priority: 'low' }, Buffer.alloc(1_000)));
    const ended = () => small.map(({ outcome }) => outcome.length);
    expect(admit({}, Buffer.alloc(5_000)).outcome).toHaveLength(1);
    expect(ended()).toEqual([0, 0, 0, 0]);
    expect(admit({}, Buffer.alloc(1_900)).outcome).toEqual([]);
    expect([ended(), dispatcher.waiting]).toEqual([[0, 0, 1, 1], 3]);
  });
});

describe('a pool that gets more calls than it can run', () => {
  const TIMEOUT_MS = 200;
  const SERVICE_MS = 8;
  const SECONDS = 5;

  /** Calls at even intervals, as many times what two workers can run; a fifth of them urgent. */
  function overload(times: number, options: Partial<PoolOptions> = {}) {
    let turn = 0;
    // From 4 to 12 ms.
    const serviceMs = (): number => SERVICE_MS / 2 + (((turn += 1) * 7) % 9) * (SERVICE_MS / 8);
    const pool = setUp(2, { cancelGraceMs: 60_000, ...options }, serviceMs);
    const calls: Array<Made & { readonly priority: 'high' | 'normal' }> = [];
    const count = (SECONDS * 1_000 * 2 * times) / SERVICE_MS;
    for (let n = 0; n < count; n += 1) {
      const priority = n % 5 === 0 ? ('high' as const) : ('normal' as const);
      calls.push(Object.assign(pool.admit({ timeoutMs: TIMEOUT_MS, priority }), { priority }));
      pool.clock.advance((SECONDS * 1_000) / count);
    }
    pool.clock.advance(TIMEOUT_MS + 50);
    const inTime = calls.filter(({ outcome, atMs, endMs }) => outcome[0] === 'done' && endMs - atMs <= TIMEOUT_MS);
    const codes = calls.flatMap(({ outcome }) => outcome.map((each) => (each === 'done' ? each : each.code)));
    return { ...pool, calls, inTime, codes, perSecond: inTime.length / SECONDS };
  }

  it.each([1.5, 3, 10])('still answers nearly as many in time at %s times the load', (times) => {
    const { perSecond, codes, calls } = overload(times);
    expect(perSecond).toBeGreaterThan(0.93 * (2_000 / SERVICE_MS));
    expect(codes).toHaveLength(calls.length);
    const allowed = new Set(['done', 'POOL_SATURATED', 'QUEUE_TIMEOUT', 'CALL_TIMEOUT']);
    expect(codes.filter((code) => !allowed.has(code))).toEqual([]);
  });

  it('would answer hardly any without shedding, but for the urgent ones', () => {
    const { inTime, perSecond } = overload(3, { shedding: false });
    expect(perSecond).toBeLessThan(0.7 * (2_000 / SERVICE_MS));
    expect(inTime.filter(({ priority }) => priority === 'normal').length).toBeLessThan(0.1 * inTime.length);
  });

  it('refuses most of what it cannot run at once, not started, with what to do', () => {
    const { calls } = overload(10);
    const refused = calls.filter(({ outcome }) => outcome[0] !== 'done' && outcome[0]!.code === 'POOL_SATURATED');
    expect(refused.length).toBeGreaterThan(calls.length * 0.7);
    expect(refused.every(({ atMs, endMs }) => endMs === atMs)).toBe(true);
    const [error] = refused.at(-1)!.outcome as [SnakepitError];
    expect(error).toMatchObject({ delivery: 'not-started', retryable: true });
    expect(error.message).toMatch(/calls wait, about \d+ ms of work, and the call may wait 200 ms.*'timeoutMs'/);
  });

  it('tells a call that is given up in its turn how much it needs and has left', () => {
    const { calls } = overload(3);
    const errors = calls.flatMap(({ outcome }) => (outcome[0] === 'done' ? [] : (outcome as SnakepitError[])));
    const late = errors.find(({ code }) => code === 'QUEUE_TIMEOUT')!;
    expect(late).toMatchObject({ delivery: 'not-started', details: { waitedMs: expect.any(Number) } });
    expect(late.message).toMatch(/waited \d+ ms .*it needs \d+ ms and has \d+ left.*never started.*'timeoutMs'/);
  });

  it('runs the urgent calls first, as long as those alone are not too many', () => {
    const { calls } = overload(3);
    const urgent = calls.filter(({ priority }) => priority === 'high');
    expect(urgent.filter(({ outcome }) => outcome[0] === 'done').length).toBe(urgent.length);
    expect(Math.max(...urgent.map(({ atMs, endMs }) => endMs - atMs))).toBeLessThan(TIMEOUT_MS / 2);
  });

  it.each([0.5, 0.9])('sheds nothing at %s times the load', (times) => {
    expect(new Set(overload(times).codes)).toEqual(new Set(['done']));
  });

  it('sheds nothing of a bunch that it can run in time', () => {
    const { clock, admit } = setUp(2, {}, () => SERVICE_MS);
    for (let bunch = 0; bunch < 20; bunch += 1) {
      const calls = Array.from({ length: 46 }, () => admit({ timeoutMs: TIMEOUT_MS }));
      clock.advance(TIMEOUT_MS);
      expect(calls.every(({ outcome }) => outcome[0] === 'done')).toBe(true);
    }
  });
});

describe('the probe of a command that kills workers', () => {
  it('is not used up by a call that the queue refuses', () => {
    const { clock, dispatcher, workers, sent, profile, admit, setHopeless } = setUp(1, {
      taint: { deaths: 1, probeAfterMs: 1_000 },
    });
    admit();
    dispatcher.unseat(workers[0]!);
    const crash = { kind: 'signal', signal: 'SIGSEGV' } as const;
    dispatcher.callsLost([{ call: sent[0]!, wasWritten: true }], () => new SnakepitError('WORKER_EXITED'), crash);
    expect(profile.taint?.isTainted).toBe(true);
    expect(admit().outcome).toMatchObject([{ code: 'COMMAND_TAINTED' }]);
    clock.advance(1_000);
    setHopeless(new SnakepitError('POOL_NOT_READY'));
    for (let count = 0; count < 3; count += 1) expect(admit().outcome).toMatchObject([{ code: 'POOL_NOT_READY' }]);
    setHopeless(undefined);
    const probe = admit();
    expect(admit().outcome).toMatchObject([{ code: 'COMMAND_TAINTED' }]);
    expect([probe.outcome, dispatcher.waiting]).toEqual([[], 1]);
  });
});
