import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Channel, ChannelCall } from '../../channel/index.js';
import { resolveOptions, silentLog, SnakepitError } from '../../core/index.js';
import { ManualClock } from '../../testing/manual-clock.js';
import type { Adapter, Worker } from '../../worker/index.js';
import { settingsOf, type CallOptions } from '../call-options.js';
import { CommandProfile } from '../command-profile.js';
import { Dispatcher } from '../dispatcher.js';
import { poolOptionTable, type PoolOptions } from '../options.js';
import { BatchLine } from './batch-line.js';
import { batchOptionTable, type BatchOptions } from './batch-options.js';

const adapter: Adapter = { name: 'none', prepare: () => Promise.reject(new Error('never launched')) };
/** Arguments that cannot be sent, and such that are too large beside any others. */
const BAD = -1;
const LARGE = -2;

/** A worker that keeps what it is given until it is told what to do with it. */
interface ScriptedWorker {
  readonly worker: Worker;
  readonly inHand: ChannelCall[];
  readonly cancelled: unknown[];
}

function scriptedWorker(id: string, clock: ManualClock): ScriptedWorker {
  const inHand: ChannelCall[] = [];
  const cancelled: unknown[] = [];
  const channel: Partial<Channel> = {
    manifest: { protocol: 'v2', codec: 'json', answersWhileBusy: true, takesBatches: true },
    maxInFlight: Infinity,
    pipelineBudgetUs: 200,
    get lastHeardAt() {
      return clock.now();
    },
    send: (call) => {
      refuseUnsendable(call.args as unknown[]);
      return inHand.push(call);
    },
    cancel: (_, reason) => cancelled.push(reason) > 0,
    callsInFlight: () => inHand,
  };
  const worker = {
    id,
    channel,
    state: { kind: 'ready' },
    leaveIfIdle: () => {},
    dumpStacks: () => undefined,
    kill: () => {},
    killAfter: () => {},
    drain: () => {},
  };
  return { worker: worker as unknown as Worker, inHand, cancelled };
}

function refuseUnsendable(args: readonly unknown[]): void {
  const bad = args.indexOf(BAD);
  if (bad >= 0) {
    const path = `args[${bad}]`;
    throw new SnakepitError('INVALID_ARGUMENTS', { command: 'predict', path, reason: `${path}: is bad` });
  }
  if (args.includes(LARGE)) throw new SnakepitError('FRAME_TOO_LARGE', { bytes: 1e9 });
}

type Outcome = { readonly value: unknown } | { readonly error: SnakepitError };

function setUp(workers: number, batch: BatchOptions = {}, given: Partial<PoolOptions> = {}) {
  const clock = new ManualClock();
  const homes = new Map<string, string>();
  const tasks: Array<() => void> = [];
  const dispatcher = new Dispatcher({
    mayGrow: () => false,
    onNestedWait: () => {},
    name: 'pool',
    instance: 'test',
    options: resolveOptions(poolOptionTable, { adapter, ...given }),
    affinity: {
      lastWorkerOf: (session) => homes.get(session),
      rememberWorker: (session, workerId) => void homes.set(session, workerId),
    },
    clock,
    log: silentLog,
    soon: (task) => tasks.push(task),
    refusal: () => undefined,
    random: () => 0.5,
  });
  const line = new BatchLine('predict', resolveOptions(batchOptionTable, batch), false);
  const profile = new CommandProfile('call');
  profile.batching = line;
  let hired = 0;
  const hire = (): ScriptedWorker => {
    const each = scriptedWorker(`pool-${hired}`, clock);
    hired += 1;
    dispatcher.seat(each.worker);
    return each;
  };
  const crew = Array.from({ length: workers }, hire);
  /** What is done when the caller's turn of the event loop is over. */
  const settle = (): void => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task();
  };
  const call = (args: unknown, options: CallOptions & { readonly timeoutMs?: number } = {}): Outcome[] => {
    const heard: Outcome[] = [];
    const listener = {
      onValue: (value: unknown) => void heard.push({ value }),
      onError: (error: SnakepitError) => void heard.push({ error }),
      onChunk: () => {},
      onEnd: () => {},
    };
    const { timeoutMs = 60_000 } = options;
    const settings = settingsOf('predict', 'pool', options);
    const parts = { command: 'predict', args, settings, profile, admittedAt: clock.now(), timeoutMs, listener };
    dispatcher.admit(dispatcher.batching.create(parts, line));
    return heard;
  };
  const answer = (each: ScriptedWorker): void => {
    const held = each.inHand.shift();
    held?.onResult([held.args, null], 20_000);
    settle();
  };
  const die = (each: ScriptedWorker, wasWritten = true): void => {
    dispatcher.unseat(each.worker);
    const calls = each.inHand.splice(0).map((held) => ({ call: held, wasWritten }));
    dispatcher.callsLost(calls, () => new SnakepitError('WORKER_EXITED'));
    settle();
  };
  const advance = (ms: number): void => {
    clock.advance(ms);
    settle();
  };
  return { clock, dispatcher, line, crew, hire, settle, call, answer, die, advance };
}

const argsIn = ({ inHand }: ScriptedWorker): unknown[] => inHand.map(({ args }) => args);

describe('a batch', () => {
  it('takes all calls of one turn along', () => {
    const { crew, call, settle } = setUp(1);
    for (const n of [1, 2, 3]) call(n);
    expect(argsIn(crew[0]!)).toEqual([]);
    settle();
    expect(argsIn(crew[0]!)).toEqual([[1, 2, 3]]);
  });

  it('gathers while another runs, and leaves when that is over', () => {
    const { crew, call, settle, answer, clock } = setUp(2, { maxWaitMs: 50 });
    call(1);
    settle();
    call(2);
    settle();
    clock.advance(10);
    call(3);
    settle();
    expect(crew.map(argsIn)).toEqual([[[1]], []]);
    answer(crew[0]!);
    expect(crew.map(argsIn)).toEqual([[[2, 3]], []]);
  });

  it('leaves for another worker when it has gathered for long enough, or is full', () => {
    const { crew, call, settle, advance } = setUp(3, { maxWaitMs: 50, maxSize: 2 });
    call(1);
    settle();
    call(2);
    settle();
    advance(49);
    expect(crew.map(argsIn)).toEqual([[[1]], [], []]);
    advance(1);
    expect(crew.map(argsIn)).toEqual([[[1]], [[2]], []]);
    call(3);
    call(4);
    settle();
    expect(crew.map(argsIn)).toEqual([[[1]], [[2]], [[3, 4]]]);
  });

  it('waits, where it is not adaptive, although nothing runs', () => {
    const { crew, call, settle, advance } = setUp(1, { maxWaitMs: 50, adaptive: false });
    call(1);
    settle();
    advance(49);
    expect(argsIn(crew[0]!)).toEqual([]);
    advance(1);
    expect(argsIn(crew[0]!)).toEqual([[1]]);
  });

  it('is filled up by those that came while it waited for a worker', () => {
    const { crew, call, settle, answer, advance } = setUp(1, { maxWaitMs: 5 });
    call(1);
    settle();
    for (const n of [2, 3, 4]) {
      call(n);
      settle();
      advance(20);
    }
    answer(crew[0]!);
    expect(argsIn(crew[0]!)).toEqual([[2, 3, 4]]);
  });

  it('is of one priority and of one session', () => {
    const { crew, call, settle } = setUp(5);
    call(1, { priority: 'low' });
    call(2, { session: 'a' });
    call(3);
    call(4, { priority: 'high' });
    call(5, { session: 'a' });
    call(6, { priority: 'high' });
    settle();
    expect(crew.flatMap(argsIn)).toEqual([[4, 6], [2, 5], [3], [1]]);
  });

  it('leaves out those who left while it gathered, and is none when all did', () => {
    const { crew, call, settle, answer, dispatcher } = setUp(1);
    call(1);
    settle();
    const leaving = new AbortController();
    const heard = call(2, { signal: leaving.signal });
    call(3);
    leaving.abort();
    expect(heard).toMatchObject([{ error: { code: 'CANCELLED', delivery: 'not-started' } }]);
    answer(crew[0]!);
    expect(argsIn(crew[0]!)).toEqual([[3]]);
    answer(crew[0]!);
    expect(dispatcher.open).toBe(0);
  });

  it('counts callers, not batches, against the queue', () => {
    const { call, settle, dispatcher } = setUp(1, {}, { maxQueue: 2 });
    call(1);
    settle();
    call(2);
    call(3);
    expect(dispatcher.waiting).toBe(2);
    expect(call(4)).toMatchObject([{ error: { code: 'POOL_SATURATED', details: { queued: 2 } } }]);
  });

  it('gives a call that waits in vain QUEUE_TIMEOUT, by its own time', () => {
    const { call, settle, advance } = setUp(1, {}, { queueTimeoutMs: 100 });
    call(1);
    settle();
    const first = call(2);
    advance(60);
    const second = call(3);
    advance(50);
    expect(first).toMatchObject([{ error: { code: 'QUEUE_TIMEOUT', delivery: 'not-started' } }]);
    expect(second).toEqual([]);
  });

  it('lives on for those whose time is not up, and is cancelled with the last of them', () => {
    const { crew, call, settle, advance } = setUp(1);
    const [short, long] = [call(1, { timeoutMs: 100 }), call(2, { timeoutMs: 500 })];
    settle();
    advance(120);
    expect(short).toMatchObject([
      { error: { code: 'CALL_TIMEOUT', delivery: 'may-have-run', details: { timeoutMs: 100 } } },
    ]);
    expect([long, crew[0]!.cancelled]).toEqual([[], []]);
    advance(400);
    expect(long).toMatchObject([{ error: { code: 'CALL_TIMEOUT', details: { timeoutMs: 500 } } }]);
    expect(crew[0]!.cancelled).toEqual(['deadline']);
  });

  it('is tried again by its calls, each alone and by its own right', () => {
    const { crew, call, settle, die, hire, advance } = setUp(1);
    const [once, twice, other] = [call(1), call(2, { idempotent: true }), call(3, { idempotent: true })];
    settle();
    die(crew[0]!);
    expect(once).toMatchObject([{ error: { code: 'WORKER_EXITED', delivery: 'may-have-run' } }]);
    const [next, last] = [hire(), hire()];
    advance(1_000);
    expect([...argsIn(next), ...argsIn(last)].toSorted()).toEqual([[2], [3]]);
    expect([twice, other]).toEqual([[], []]);
  });

  it('keeps its calls together when it never left the host', () => {
    const { crew, call, settle, die, hire, clock } = setUp(1);
    call(1);
    clock.advance(1);
    call(2);
    settle();
    die(crew[0]!, false);
    const next = hire();
    settle();
    expect(argsIn(next)).toEqual([[1, 2]]);
  });

  it('goes without what cannot be sent, and is halved where it is too large', () => {
    const { crew, call, settle, answer, dispatcher } = setUp(1);
    const outcomes = [1, BAD, 2, LARGE, 3, BAD, 4].map((n) => call(n));
    settle();
    while (crew[0]!.inHand.length > 0) answer(crew[0]!);
    const told = outcomes.map(([outcome]) => ('error' in outcome! ? outcome.error.code : outcome!.value));
    expect(told).toEqual([1, 'INVALID_ARGUMENTS', 2, 'FRAME_TOO_LARGE', 3, 'INVALID_ARGUMENTS', 4]);
    expect(dispatcher.open).toBe(0);
  });

  it('waits for nobody once the pool drains', () => {
    const { crew, call, settle, dispatcher } = setUp(1, { adaptive: false, maxWaitMs: 60_000 });
    call(1);
    settle();
    dispatcher.batching.flush();
    settle();
    expect(argsIn(crew[0]!)).toEqual([[1]]);
  });

  it('keeps nothing of sessions that have gone', () => {
    const { crew, call, settle, answer, line } = setUp(1);
    for (let n = 0; n < 10; n += 1) {
      call(n, { session: `s-${n}` });
      settle();
    }
    while (crew[0]!.inHand.length > 0) answer(crew[0]!);
    expect(line.gatherings()).toEqual([]);
  });
});

describe('whatever happens to batches', () => {
  const action = fc.oneof(
    fc.record({
      do: fc.constant('call' as const),
      args: fc.oneof({ weight: 8, arbitrary: fc.nat() }, fc.constantFrom(BAD, LARGE)),
      timeoutMs: fc.integer({ min: 1, max: 400 }),
      session: fc.constantFrom(undefined, undefined, 'a', 'b'),
      priority: fc.constantFrom('normal' as const, 'normal' as const, 'high' as const, 'low' as const),
      idempotent: fc.boolean(),
    }),
    fc.record({ do: fc.constant('settle' as const) }),
    fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 120 }) }),
    fc.record({ do: fc.constant('abort' as const), which: fc.nat() }),
    fc.record({
      do: fc.constant('answer' as const),
      which: fc.nat(),
      how: fc.constantFrom(
        'well' as const,
        'well' as const,
        'with errors' as const,
        'badly' as const,
        'failing' as const,
      ),
    }),
    fc.record({ do: fc.constant('die' as const), which: fc.nat(), wasWritten: fc.boolean() }),
  );
  const pools = fc.record({
    workers: fc.integer({ min: 1, max: 3 }),
    batch: fc.record({
      maxSize: fc.integer({ min: 1, max: 4 }),
      maxWaitMs: fc.integer({ min: 0, max: 30 }),
      adaptive: fc.boolean(),
    }),
    affinity: fc.constantFrom('hint' as const, 'strict-queue' as const, 'strict-fail-fast' as const),
    maxQueue: fc.constantFrom(3, 1_000),
  });

  it('settles each caller exactly once, by its own result or an error, and leaves nothing behind', () => {
    fc.assert(
      fc.property(pools, fc.array(action, { maxLength: 60 }), ({ workers, batch, ...options }, actions) => {
        const world = setUp(workers, batch, { ...options, queueTimeoutMs: 200, taint: { enabled: false } });
        const { clock, dispatcher, crew, line } = world;
        const callers: Array<{ args: number; heard: Outcome[]; controller: AbortController }> = [];
        for (const each of actions) {
          switch (each.do) {
            case 'call': {
              const controller = new AbortController();
              const { args, timeoutMs, session, priority, idempotent } = each;
              const heard = world.call(args, { timeoutMs, session, priority, idempotent, signal: controller.signal });
              callers.push({ args, heard, controller });
              break;
            }
            case 'settle':
              world.settle();
              break;
            case 'advance':
              world.advance(each.ms);
              break;
            case 'abort':
              callers[each.which % callers.length]?.controller.abort();
              break;
            case 'answer':
              answerAs(each.how, crew[each.which % crew.length]!);
              world.settle();
              break;
            case 'die': {
              const index = each.which % crew.length;
              world.die(crew[index]!, each.wasWritten);
              crew[index] = world.hire();
              world.settle();
            }
          }
          for (const { heard } of callers) expect(heard.length).toBeLessThanOrEqual(1);
          const held = crew.flatMap(({ inHand }) => inHand);
          for (const { args } of held) expect((args as unknown[]).length).toBeLessThanOrEqual(batch.maxSize);
        }
        // All deadlines pass; the workers answer late what they still hold.
        for (let round = 0; round < 20; round += 1) {
          world.advance(100);
          for (const each of crew) while (each.inHand.length > 0) world.answer(each);
        }
        for (const { args, heard } of callers) {
          expect(heard).toHaveLength(1);
          const [outcome] = heard;
          if ('value' in outcome!) expect(outcome.value).toBe(args);
        }
        const { succeeded, cancelled, errors } = dispatcher.totals;
        expect(succeeded + cancelled + errors).toBe(callers.length);
        expect([dispatcher.open, dispatcher.waiting, dispatcher.batching.passengers]).toEqual([0, 0, 0]);
        expect(line.gatherings()).toEqual([]);
        // Nothing is watched any more: what was watched twice would keep its timer going.
        expect(clock.timers).toBe(0);
      }),
      { numRuns: 400 },
    );
  });
});

function answerAs(how: 'well' | 'with errors' | 'badly' | 'failing', { inHand }: ScriptedWorker): void {
  const held = inHand.shift();
  if (held === undefined) return;
  const args = held.args as unknown[];
  switch (how) {
    case 'well':
      return held.onResult([args, null], 20_000);
    case 'with errors':
      return held.onResult([args, [[0, { code: 'REMOTE_ERROR', message: 'no' }]]], 20_000);
    case 'badly':
      return held.onResult([[...args, 'one too many'], null], 20_000);
    case 'failing':
      return held.onFailure(new SnakepitError('REMOTE_ERROR', { reason: 'no' }), 20_000);
  }
}
