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
import { retryDelayMs } from './retries.js';

const adapter: Adapter = { name: 'none', prepare: () => Promise.reject(new Error('never launched')) };

/** A dispatcher before one worker that only keeps what it is given, and `random` for every delay. */
function setUp(random: number, options: Partial<PoolOptions> = {}) {
  const clock = new ManualClock();
  const dispatcher = new Dispatcher({
    name: 'pool',
    instance: 'test',
    options: resolveOptions(poolOptionTable, { adapter, maxAttempts: 10, ...options }),
    affinity: { lastWorkerOf: () => undefined, rememberWorker: () => {} },
    clock,
    log: silentLog,
    soon: (task) => task(),
    refusal: () => undefined,
    mayGrow: () => false,
    onNestedWait: () => {},
    random: () => random,
  });
  const sent: ChannelCall[] = [];
  const channel: Partial<Channel> = {
    maxInFlight: Infinity,
    pipelineBudgetUs: 200,
    lastHeardAt: 0,
    send: (call) => sent.push(call),
    cancel: () => true,
  };
  dispatcher.seat({ id: 'a', channel, state: { kind: 'ready' }, dumpStacks: () => undefined } as unknown as Worker);
  const call = (callOptions: CallOptions = {}): Array<SnakepitError | 'done'> => {
    const outcome: Array<SnakepitError | 'done'> = [];
    const listener = {
      onValue: () => void outcome.push('done'),
      onError: (error: SnakepitError) => void outcome.push(error),
      onChunk: () => {},
      onEnd: () => {},
    };
    const settings = settingsOf('work', 'pool', { idempotent: true, ...callOptions });
    const { timeoutMs = 60_000 } = callOptions;
    const profile = new CommandProfile('call');
    const given = { command: 'work', args: null, profile, timeoutMs, settings, admittedAt: clock.now(), listener };
    dispatcher.admit(new PoolCall({ ...given, owner: dispatcher }));
    return outcome;
  };
  const lose = (wasWritten = true): void => {
    dispatcher.callsLost([{ call: sent.at(-1)!, wasWritten }], () => new SnakepitError('WORKER_EXITED'));
  };
  return { clock, dispatcher, sent, call, lose };
}

describe('the delay before another attempt', () => {
  const settings = { initialDelayMs: 20, maxDelayMs: 100 };

  it('is at random up to a bound that doubles up to its own', () => {
    const most = [1, 2, 3, 4, 5].map((attempts) => retryDelayMs(settings, attempts, 60_000, () => 1));
    expect(most).toEqual([20, 40, 80, 100, 100]);
    expect(retryDelayMs(settings, 3, 60_000, () => 0.25)).toBe(20);
  });

  it('leaves half of the time that the call has', () => {
    expect(retryDelayMs(settings, 5, 30, () => 1)).toBe(15);
    expect(retryDelayMs(settings, 5, -1, () => 1)).toBe(0);
  });
});

describe('a call that is tried again', () => {
  it('waits for longer after each attempt that may have run, and counts as open meanwhile', () => {
    const { clock, dispatcher, sent, call, lose } = setUp(0.5);
    const outcome = call();
    for (const delayMs of [10, 20, 40]) {
      const before = sent.length;
      lose();
      clock.advance(delayMs - 1);
      expect([sent.length, dispatcher.open, dispatcher.waiting]).toEqual([before, 1, 0]);
      clock.advance(1);
      expect(sent).toHaveLength(before + 1);
    }
    sent.at(-1)!.onResult(1, 10);
    expect([outcome, dispatcher.open]).toEqual([['done'], 0]);
  });

  it('has no delay when it certainly did not start', () => {
    const { sent, call, lose } = setUp(0.5);
    call();
    lose(false);
    expect(sent).toHaveLength(2);
  });

  it.each([
    ['its deadline', 'CALL_TIMEOUT', (pool: ReturnType<typeof setUp>) => pool.clock.advance(2_000)],
    ['its caller', 'CANCELLED', () => abort.abort()],
    ['the pool, which closes', 'POOL_CLOSED', (pool: ReturnType<typeof setUp>) => pool.dispatcher.close()],
  ])('is ended by %s meanwhile, once and for good', (_, code, end) => {
    abort = new AbortController();
    const pool = setUp(1, { retry: { initialDelayMs: 60_000, maxDelayMs: 60_000 } });
    const outcome = pool.call({ timeoutMs: 1_000, signal: abort.signal });
    pool.lose();
    // Half of its time is left to it, which is when it would be tried again.
    if (code === 'CALL_TIMEOUT') {
      pool.clock.advance(500);
      expect(pool.sent).toHaveLength(2);
      pool.lose();
      pool.dispatcher.unseat({ id: 'a', state: { kind: 'dead' } } as unknown as Worker);
    }
    end(pool);
    expect(outcome).toMatchObject([{ code, delivery: 'may-have-run' }]);
    expect([pool.dispatcher.open, pool.dispatcher.waiting]).toEqual([0, 0]);
    pool.clock.advance(100);
    expect([outcome.length, pool.clock.timers]).toEqual([1, 0]);
  });
});

let abort = new AbortController();
