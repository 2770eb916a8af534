import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  node,
  python,
  type CallOptions,
  type PoolOptions,
  type PoolService,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { failureOf, itemsOf } from '../../support/outcomes.js';
import { sendSignal, untilGone } from '../../support/processes.js';
import { entryWith, useScratch } from '../../support/records.js';
import { waitUntil } from '../../support/wait-until.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../../fixtures/contract/${name}`, import.meta.url));

const ADAPTERS = {
  python: () => python({ module: pathOf('commands.py'), transport: 'grpc', path: [inject('pythonPackages')] }),
  node: () => node({ module: pathOf('commands.js'), transport: 'grpc' }),
};

/** Callers that each make their next call when they have the answer, until they are stopped. */
class Callers {
  answered = 0;
  readonly #makeCall: (count: number) => Promise<unknown>;
  /** Rejects where one of their calls fails, which whoever waits is told. */
  readonly #all: Promise<unknown>;
  #isStopping = false;

  /** `makeCall` is given how many calls its caller has made before. */
  constructor(callers: number, makeCall: (count: number) => Promise<unknown>) {
    this.#makeCall = makeCall;
    this.#all = Promise.all(Array.from({ length: callers }, () => this.#call()));
    this.#all.catch(() => {});
  }

  /** So many more answers. */
  async answers(count: number): Promise<void> {
    const end = this.answered + count;
    await Promise.race([this.#all, waitUntil('answers', () => this.answered >= end)]);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#all;
  }

  async #call(): Promise<void> {
    for (let count = 0; !this.#isStopping; count += 1) {
      await this.#makeCall(count);
      this.answered += 1;
    }
  }
}

describe.each(Object.entries(ADAPTERS))('supervision over gRPC, of %s workers', (language, adapter) => {
  const scratch = useScratch();
  let snakepit: Snakepit | undefined;
  afterEach(() => snakepit?.close());

  async function start(options: Omit<PoolOptions, 'adapter'>): Promise<PoolService> {
    snakepit = await createSnakepit({ adapter: adapter(), queueTimeoutMs: 20_000, ...options });
    return snakepit.pool();
  }

  const add = (pool: PoolService, options?: CallOptions) => async (a: number) =>
    expect(await pool.execute('add_later', { a, b: 1 }, options)).toBe(a + 1);

  it('recycles workers after maxCalls calls, and no call fails', async () => {
    const pool = await start({ size: 2, concurrency: 4, recycle: { maxCalls: 40, jitterPercent: 0 } });
    const callers = new Callers(16, add(pool));
    // One after the other, each an interpreter's start beside callers that leave no CPU idle.
    await waitUntil('workers to be replaced', () => pool.stats().recycled['max-calls'] >= 4, 60_000);
    const streamed = await itemsOf(pool.stream('count', { to: 1_000 }));
    await callers.stop();
    expect(streamed).toHaveLength(1_000);
    expect(callers.answered).toBeGreaterThanOrEqual(160);
    expect(pool.stats()).toMatchObject({ errors: 0, restarts: 0, inFlight: 0, queued: 0 });
  }, 80_000);

  it('replaces all workers by reload(), and no call fails', async () => {
    const pool = await start({ size: 2, concurrency: 4 });
    const before = pool.stats().pids;
    const callers = new Callers(16, add(pool));
    await callers.answers(50);
    await pool.reload();
    await callers.answers(50);
    const after = pool.stats().pids;
    await callers.stop();
    await untilGone(before);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    expect(pool.stats()).toMatchObject({ errors: 0, restarts: 0, workers: 2 });
  });

  it('lets a stream end in the worker that reload() replaces', async () => {
    const pool = await start({ size: 1 });
    const ticks = pool.iterate<number>('ticks', { path: scratch(), ms: 1 });
    await ticks.next();
    const [before] = pool.stats().pids;
    const reloaded = pool.reload();
    await waitUntil('another worker', () => pool.stats().pids.length === 2);
    for (let count = 0; count < 100; count += 1) expect((await ticks.next()).done).toBe(false);
    await ticks.return();
    await reloaded;
    await untilGone([before ?? 0]);
    expect(pool.stats()).toMatchObject({ errors: 0, restarts: 0 });
  });

  it('scales up and down with the load, and no call fails', async () => {
    const autoscale = { min: 1, max: 3, checkIntervalMs: 20, downAfterMs: 300 };
    const pool = await start({ autoscale, maxQueue: 10_000 });
    expect(pool.stats().size).toBe(1);
    const callers = new Callers(16, () => pool.execute('block', { ms: 30 }));
    await waitUntil('more workers', () => pool.stats().workers >= 2);
    await callers.stop();
    const few = new Callers(1, add(pool));
    await waitUntil('fewer workers', () => pool.stats().size === 1 && pool.stats().workers === 1);
    await few.answers(5);
    await few.stop();
    expect(pool.stats()).toMatchObject({ errors: 0, restarts: 0 });
  });

  it('finds a worker that was stopped by its missing heartbeat, and replaces it', async () => {
    const pool = await start({ size: 1, heartbeatIntervalMs: 50, heartbeatTimeoutMs: 500 });
    const [pid] = pool.stats().pids;
    sendSignal(pid, 'SIGSTOP');
    await untilGone([pid ?? 0]);
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
    expect(pool.stats()).toMatchObject({ restarts: 1, status: 'up' });
    expect(pool.stats().pids).not.toContain(pid);
  });

  // Node.js answers no heartbeat while a handler runs, so that the deadline of its call is what finds out.
  const verdict = language === 'python' ? 'WORKER_LOST' : 'CALL_TIMEOUT';

  it(`fails the call in the hands of a worker that is stopped with ${verdict}, and replaces it`, async () => {
    const heartbeat = { heartbeatIntervalMs: 50, heartbeatTimeoutMs: 500 };
    const pool = await start({ size: 1, ...heartbeat, cancelGraceMs: 100, killGraceMs: 100 });
    const path = scratch();
    const timeoutMs = language === 'python' ? 15_000 : 1_500;
    const lost = failureOf(pool.execute('until_cancelled', { path }, { timeoutMs }));
    await entryWith(path, 'began');
    sendSignal(pool.stats().pids[0], 'SIGSTOP');
    expect(await lost).toMatchObject({ code: verdict, delivery: 'may-have-run' });
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
  });

  it('costs idempotent calls of 64 callers nothing when workers are killed', async () => {
    const pool = await start({ size: 3, concurrency: 8, maxAttempts: 20, restart: { budget: 1_000 } });
    const callers = new Callers(64, add(pool, { idempotent: true }));
    for (let kills = 1; kills <= 4; kills += 1) {
      await callers.answers(200);
      const pid = await waitUntil('a worker at work', () => busyWorkerOf(pool));
      process.kill(pid, 'SIGKILL');
      await waitUntil('its replacement', () => pool.stats().restarts === kills && pool.stats().workers === 3);
    }
    await callers.stop();
    expect(pool.stats()).toMatchObject({ errors: 0, inFlight: 0, queued: 0 });
  });
});

function busyWorkerOf(pool: PoolService): number | undefined {
  return pool.workers().find(({ state, inFlight }) => state === 'ready' && inFlight > 0)?.pid;
}
