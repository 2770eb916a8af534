import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  isSnakepitError,
  python,
  subscribe,
  type PoolOptions,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { failureOf } from '../support/outcomes.js';
import { pidIsAlive, sendSignal, untilGone } from '../support/processes.js';
import { entryWith, useScratch } from '../support/records.js';
import { waitUntil } from '../support/wait-until.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const TRANSPORTS = ['fd', 'grpc'] as const;
/** Calls of each caller, and how many of all must come after the kill; a call over gRPC takes far longer. */
const LOAD = { fd: { CALLS: 300, AFTER_KILL: 1_000 }, grpc: { CALLS: 60, AFTER_KILL: 200 } };
const PACKAGES = () => ({ path: [inject('pythonPackages')] });

interface WorkerFacts {
  readonly id: string;
  readonly pid: number;
}

describe.each(TRANSPORTS)('a pool over %s', (transport) => {
  const commands = () => python({ module: pathOf('contract/commands.py'), transport, ...PACKAGES() });
  const scratch = useScratch();
  const open = new Set<Snakepit>();
  afterEach(async () => {
    await Promise.all([...open].map((snakepit) => snakepit.close()));
    open.clear();
  });

  async function start(options: Partial<PoolOptions> = {}) {
    const snakepit = await createSnakepit({ adapter: commands(), size: 2, ...options });
    open.add(snakepit);
    return snakepit;
  }

  it('loses only the calls in the hands of a worker that is killed, and comes back at full size', async () => {
    const SIZE = 4;
    const CALLERS = 64;
    const { CALLS, AFTER_KILL } = LOAD[transport];
    const pool = (await start({ size: SIZE })).pool();
    const victim = pool.workers()[1];
    let isKilled = false;
    let afterKill = 0;
    const failures: unknown[] = [];
    const servedBy = new Set<number>();

    async function caller(number: number): Promise<void> {
      for (let n = 0; n < CALLS; n += 1) {
        if (number === 0 && n === 20) {
          sendSignal(victim?.pid, 'SIGKILL');
          isKilled = true;
        }
        try {
          if (n % 10 === 0) servedBy.add((await pool.execute<WorkerFacts>('worker')).pid);
          else expect(await pool.execute('add', { a: number * CALLS, b: n })).toBe(number * CALLS + n);
          if (isKilled) afterKill += 1;
        } catch (error) {
          failures.push(error);
        }
      }
    }
    const callers = Promise.all(Array.from({ length: CALLERS }, (_, number) => caller(number)));
    await waitUntil('the kill', () => isKilled);
    await waitUntil('full size', () => {
      const ready = pool.workers().filter(({ state }) => state === 'ready');
      return ready.length === SIZE && !ready.some(({ pid }) => pid === victim?.pid);
    });
    await callers;

    for (const error of failures) {
      if (!isSnakepitError(error, 'WORKER_EXITED')) throw error;
      expect(error.details).toMatchObject({
        worker: victim?.id,
        exit: expect.stringMatching(/^signal SIGKILL \(not sent by this host/) as string,
      });
      expect(error.delivery).toBe('may-have-run');
    }
    expect(failures.length).toBeLessThanOrEqual(CALLERS);
    expect(afterKill).toBeGreaterThan(AFTER_KILL);
    const final = await Promise.all(Array.from({ length: 40 }, () => pool.execute<WorkerFacts>('worker')));
    expect(final.every(({ pid }) => pid !== victim?.pid && pidIsAlive(pid))).toBe(true);
    expect(pool.stats()).toMatchObject({ status: 'up', workers: SIZE, queued: 0, inFlight: 0, restarts: 1 });
  });

  it('grows and shrinks under load without failing a call', async () => {
    const pool = (await start({ size: 2 })).pool();
    const over = new AbortController();
    const load = Promise.all(
      Array.from({ length: 16 }, async (_, n) => {
        while (!over.signal.aborted) expect(await pool.execute('add_later', { a: n, b: 1, ms: 2 })).toBe(n + 1);
      }),
    );
    for (const size of [5, 1, 3]) {
      pool.resize(size);
      await waitUntil(`${size} workers`, () => {
        const { available, busy, workers } = pool.stats();
        return workers === size && available + busy === size;
      });
    }
    over.abort();
    await load;
    expect(pool.stats()).toMatchObject({ size: 3, errors: 0, restarts: 0 });
  });

  it('refuses sizes that make no sense', async () => {
    const pool = (await start({ size: 1 })).pool();
    for (const size of [0, -1, 1.5, 5_000]) {
      expect(() => pool.resize(size)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }) as Error);
    }
  });

  it('replaces one worker by restart(id) and leaves the other alone', async () => {
    const pool = (await start()).pool();
    const [first, second] = pool.workers();
    await pool.restart(first?.id);
    const ids = pool.workers().map(({ id }) => id);
    expect(ids).toContain(second?.id);
    expect(ids).not.toContain(first?.id);
    expect(ids).toHaveLength(2);
    await untilGone([first?.pid ?? 0]);
    const error = await failureOf(pool.restart('nobody'));
    expect(error.code).toBe('INVALID_ARGUMENTS');
    expect(error.message).toContain(String(second?.id));
  });

  it('loads its code anew by reload() under load without failing a call', async () => {
    const pool = (await start({ size: 3 })).pool();
    const before = pool.stats().pids;
    const over = new AbortController();
    let answered = 0;
    const load = Promise.all(
      Array.from({ length: 16 }, async (_, n) => {
        while (!over.signal.aborted) {
          expect(await pool.execute('add', { a: n, b: 1 })).toBe(n + 1);
          answered += 1;
        }
      }),
    );
    await pool.reload();
    over.abort();
    await load;
    expect(answered).toBeGreaterThan(100);
    expect(pool.stats().errors).toBe(0);
    expect(pool.stats().pids.filter((pid) => before.includes(pid))).toEqual([]);
    await untilGone(before);
  });

  it('drains: takes no more calls and finishes those it has, the waiting ones too', async () => {
    const pool = (await start({ size: 1 })).pool();
    const calls = Promise.all([1, 2, 3].map(() => pool.execute('doze', { ms: 60 })));
    const draining = pool.drain();
    expect(await failureOf(pool.execute('nothing'))).toMatchObject({ code: 'POOL_CLOSED', delivery: 'not-started' });
    await draining;
    expect(await calls).toEqual([60, 60, 60]);
  });

  it('fails what is not through after drainTimeoutMs when it closes, and leaves no process', async () => {
    const snakepit = await start({ size: 1, drainTimeoutMs: 100, killGraceMs: 100 });
    const pool = snakepit.pool();
    const { pids } = pool.stats();
    const path = scratch();
    const running = failureOf(pool.execute('block', { ms: 30_000, path }));
    const waiting = failureOf(pool.execute('nothing'));
    await entryWith(path, 'began');
    await snakepit.close();
    expect(await running).toMatchObject({ code: 'POOL_CLOSED', delivery: 'may-have-run' });
    expect(await waiting).toMatchObject({ code: 'POOL_CLOSED', delivery: 'not-started' });
    expect(pids.some(pidIsAlive)).toBe(false);
  });

  it('takes down with it what its commands have started', async () => {
    const snakepit = await start({ size: 1 });
    const grandchild = await snakepit.pool().execute<number>('start_grandchild');
    expect(pidIsAlive(grandchild)).toBe(true);
    await snakepit.close();
    await untilGone([grandchild]);
  });

  it('refuses calls beyond maxQueue with POOL_SATURATED and its load', async () => {
    const pool = (await start({ size: 1, maxQueue: 2 })).pool();
    const admitted = [1, 2, 3].map(() => pool.execute('doze', { ms: 50 }));
    const error = await failureOf(pool.execute('doze', { ms: 50 }));
    expect(error).toMatchObject({ code: 'POOL_SATURATED', delivery: 'not-started', retryable: true, httpStatus: 503 });
    expect(error.details).toMatchObject({ maxQueue: 2, queued: 2, busy: 1, workers: 1 });
    expect(await Promise.all(admitted)).toEqual([50, 50, 50]);
    expect(pool.stats().saturated).toBe(1);
  });

  it('takes waiting calls by priority, and by age within one', async () => {
    const pool = (await start({ size: 1 })).pool();
    const order: string[] = [];
    const call = async (name: string, priority: 'low' | 'normal' | 'high') => {
      await pool.execute('doze', { ms: 5 }, { priority });
      order.push(name);
    };
    const blocking = pool.execute('doze', { ms: 50 });
    const calls = [call('low', 'low'), call('normal 1', 'normal'), call('normal 2', 'normal'), call('high', 'high')];
    await Promise.all([blocking, ...calls]);
    expect(order).toEqual(['high', 'normal 1', 'normal 2', 'low']);
  });

  it('replaces a frozen worker by its missing heartbeat; its call fails with WORKER_LOST', async () => {
    const pool = (await start({ size: 2, heartbeatIntervalMs: 30, heartbeatTimeoutMs: 500 })).pool();
    const path = scratch();
    const call = failureOf(pool.execute('block', { ms: 30_000, path }));
    await entryWith(path, 'began');
    const frozen = pool.workers().find(({ inFlight }) => inFlight > 0);
    sendSignal(frozen?.pid, 'SIGSTOP');
    const error = await call;
    expect(error).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run', retryable: true });
    expect(error.details).toMatchObject({ worker: frozen?.id });
    await waitUntil('a whole pool', () => pool.stats().available === 2);
    await untilGone([frozen?.pid ?? 0]);
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
  });

  it('keeps a worker that is busy and answers its heartbeat', async () => {
    const pool = (await start({ size: 1, heartbeatIntervalMs: 20, heartbeatTimeoutMs: 500 })).pool();
    const [pid] = pool.stats().pids;
    expect(await pool.execute('block', { ms: 1_500 })).toBe(1_500);
    expect(pool.stats().pids).toEqual([pid]);
  });

  it('goes down with its reason when its workers crash at every start, and recovers with its cause', async () => {
    const SWITCH = scratch('switch');
    const pool = (
      await start({
        adapter: python({ module: pathOf('integration/crash_switch.py'), transport, ...PACKAGES() }),
        env: { SWITCH },
        size: 2,
        restart: { initialDelayMs: 1, maxDelayMs: 20, budget: 5 },
      })
    ).pool();
    expect(pool.status).toBe('up');
    writeFileSync(SWITCH, '');
    for (const { pid } of pool.workers()) sendSignal(pid, 'SIGKILL');
    const error = await waitUntil('the refusal', async () => {
      const failed = await failureOf(pool.execute('add', { a: 1, b: 2 }, { timeoutMs: 200 }));
      return failed.code === 'POOL_NOT_READY' ? failed : undefined;
    });
    expect(error).toMatchObject({ delivery: 'not-started', retryable: true, httpStatus: 503 });
    expect(error.message).toContain('the licence has expired');
    expect(error.message).toContain('SystemExit: 9');
    expect(pool.status).toBe('down');
    rmSync(SWITCH);
    await waitUntil('recovery', () => pool.status === 'up');
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
  });

  it('publishes every move of its workers, and why', async () => {
    const moves: string[] = [];
    const unsubscribe = subscribe('snakepit:worker', ({ pool, from, to, reason }) => {
      moves.push(`${pool}: ${from} > ${to}${reason === undefined ? '' : ` (${reason})`}`);
    });
    const snakepit = await start({ size: 1 });
    await failureOf(snakepit.pool().execute('leave', { status: 3 }));
    await snakepit.pool().ready(10_000);
    await snakepit.close();
    unsubscribe();
    expect(moves[0]).toBe('default: starting > ready');
    expect(moves.join('\n')).toMatch(/> dead \((status 3|channel-closed)\)/);
    expect(moves.at(-2)).toBe('default: ready > draining (close)');
    expect(moves.at(-1)).toMatch(/^default: draining > dead/);
  });

  it('is one of several by name, which share nothing but the sessions', async () => {
    const snakepit = await createSnakepit({
      pools: { a: { adapter: commands(), size: 1 }, b: { adapter: commands(), size: 1, env: { WHO: 'b' } } },
    });
    open.add(snakepit);
    const [a, b] = [snakepit.pool('a'), snakepit.pool('b')];
    expect((await a.execute<WorkerFacts>('worker')).id).toBe('a-1');
    expect((await a.execute<WorkerFacts>('worker', null, { pool: 'b' })).id).toBe('b-1');
    expect(await b.execute('environment')).toMatchObject({ SNAKEPIT_POOL: 'b', WHO: 'b' });
    expect(await a.execute('environment')).not.toHaveProperty('WHO');
    await a.executeInSession('s', 'session_set', { key: 'x', value: 1 });
    expect(await b.executeInSession('s', 'session_get', { key: 'x' })).toBe(1);
    await a.drain();
    expect(await b.execute('add', { a: 1, b: 2 })).toBe(3);
    expect(() => snakepit.pool('c')).toThrow(/no pool 'c'.*a, b/);
  });

  it('of one instance does not meet that of another in the same process', async () => {
    const [one, two] = await Promise.all([start({ size: 1 }), start({ size: 1 })]);
    await one.pool().executeInSession('s', 'session_set', { key: 'x', value: 1 });
    await one.pool().execute('global_set', { key: 'g', value: 1 });
    expect(await two.pool().executeInSession('s', 'session_get', { key: 'x' })).toBeNull();
    expect(await two.pool().execute('global_get', { key: 'g' })).toBeNull();
    const marks = await Promise.all(
      [one, two].map((each) => each.pool().execute<{ SNAKEPIT_INSTANCE: string }>('environment')),
    );
    expect(marks[0]?.SNAKEPIT_INSTANCE).not.toBe(marks[1]?.SNAKEPIT_INSTANCE);
    await one.close();
    expect(await two.pool().execute('add', { a: 1, b: 2 })).toBe(3);
  });
});
