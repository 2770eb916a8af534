import { createSnakepit, grpc, type LogRecord, type PoolOptions, type Snakepit } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it } from 'vitest';

import type { Language } from '../../support/combinations.js';
import { failureOf, itemsOf } from '../../support/outcomes.js';
import { entryWith, useScratch } from '../../support/records.js';
import { startStandalone, type StandaloneWorker } from '../../support/standalone-worker.js';
import { waitUntil } from '../../support/wait-until.js';

const LANGUAGES: readonly Language[] = ['python', 'node'];
const TOKEN = 'a-token-of-the-team';

describe.each(LANGUAGES)('a %s worker that somebody else has started', (language) => {
  const scratch = useScratch();
  const workers: StandaloneWorker[] = [];
  const open: Snakepit[] = [];
  const logs: LogRecord[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((snakepit) => snakepit.close()));
    await Promise.all(workers.splice(0).map((worker) => worker.kill()));
    logs.length = 0;
  });

  async function worker(listen = '127.0.0.1:0', token = TOKEN): Promise<StandaloneWorker> {
    const started = await startStandalone(language, listen, token, inject('pythonPackages'));
    workers.push(started);
    return started;
  }

  async function attach(address: string, options: Partial<PoolOptions> = {}) {
    const restart = { initialDelayMs: 10, maxDelayMs: 100, budget: 100_000 };
    const adapter = grpc({ address, token: TOKEN });
    const snakepit = await createSnakepit({ adapter, restart, ...options }, { log: (record) => logs.push(record) });
    open.push(snakepit);
    return snakepit.pool();
  }

  it('carries calls, streams, sessions and large binary, and lives on when its host leaves', async () => {
    const { address, child } = await worker();
    const pool = await attach(address);
    expect(await pool.execute('add', { a: 40, b: 2 })).toBe(42);
    expect(await itemsOf(pool.stream('count', { to: 100 }))).toHaveLength(100);
    await pool.executeInSession('s', 'session_set', { key: 'a', value: 1 });
    expect(await pool.executeInSession('s', 'session_get', { key: 'a' })).toBe(1);
    const large = Buffer.alloc(16 * 2 ** 20, 7);
    expect(large.equals(await pool.execute<Buffer>('same', [large]))).toBe(true);
    await open.pop()?.close();
    expect(child.exitCode).toBeNull();
    expect(await (await attach(address)).execute('add', { a: 1, b: 2 })).toBe(3);
  });

  it('serves two hosts side by side', async () => {
    const { address } = await worker();
    const pools = await Promise.all([attach(address), attach(address)]);
    const sums = await Promise.all(pools.map((pool, b) => pool.execute('add', { a: 1, b })));
    expect(sums).toEqual([1, 2]);
  });

  it('that is killed fails the calls in its hands with WORKER_LOST, and is attached to again when it is back', async () => {
    const first = await worker();
    const pool = await attach(first.address, { queueTimeoutMs: 10_000 });
    const path = scratch();
    const lost = failureOf(pool.execute('block', { ms: 30_000, path }));
    await entryWith(path, 'began');
    await first.kill();
    expect(await lost).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run', retryable: true });
    const waiting = pool.execute('add', { a: 1, b: 2 });
    await worker(first.address);
    expect(await waiting).toBe(3);
  });

  const WATCHFUL = { heartbeatIntervalMs: 50, heartbeatTimeoutMs: 500, startTimeoutMs: 1_000, queueTimeoutMs: 15_000 };

  it('that hangs is dropped by its missing heartbeat, and attached to again when it goes on', async () => {
    const { address, child } = await worker();
    const pool = await attach(address, WATCHFUL);
    child.kill('SIGSTOP');
    await expect.poll(() => pool.lastFailure?.code, { timeout: 10_000 }).toBe('WORKER_UNREACHABLE');
    const waiting = pool.execute('add', { a: 1, b: 2 });
    child.kill('SIGCONT');
    expect(await waiting).toBe(3);
  });

  // Node answers no heartbeat while a handler runs: there the call's deadline is what finds out.
  if (language === 'python')
    it('that hangs in a command fails its call with WORKER_LOST', async () => {
      const { address, child } = await worker();
      const pool = await attach(address, WATCHFUL);
      const path = scratch();
      const call = failureOf(pool.execute('block', { ms: 1_000, path }));
      await entryWith(path, 'began');
      child.kill('SIGSTOP');
      expect(await call).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run' });
      child.kill('SIGCONT');
      expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
    });

  it('that reads no more gets no further calls than fit between; the others wait, and did not start', async () => {
    const { address, child } = await worker();
    const pool = await attach(address, { concurrency: 64, queueTimeoutMs: 300, cancelGraceMs: 60_000 });
    await pool.execute('length_of', { value: 'warm' });
    child.kill('SIGSTOP');
    const value = 'x'.repeat(3 * 2 ** 20);
    const call = () => failureOf(pool.execute('length_of', { value }, { timeoutMs: 1_000 }));
    const errors = await Promise.all(Array.from({ length: 30 }, call));
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['QUEUE_TIMEOUT', 'CALL_TIMEOUT']));
    const refused = errors.filter(({ code }) => code === 'QUEUE_TIMEOUT');
    expect(new Set(refused.map(({ delivery }) => delivery))).toEqual(new Set(['not-started']));
    expect(refused.length).toBeGreaterThan(15);
    child.kill('SIGCONT');
    await expect.poll(() => pool.stats().inFlight, { timeout: 10_000 }).toBe(0);
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
  });

  it('whose command goes on after its deadline costs the connection, not the process', async () => {
    const { address, child } = await worker();
    const pool = await attach(address, { cancelGraceMs: 100, queueTimeoutMs: 10_000 });
    const error = await failureOf(pool.execute('block', { ms: 4_000 }, { timeoutMs: 1_000 }));
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run' });
    await waitUntil('another connection', () => pool.stats().restarts > 0);
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
    expect(child.exitCode).toBeNull();
  });

  it('that stops answering within a stream fails it after the items that came, and streams again when it goes on', async () => {
    const { address, child } = await worker();
    const pool = await attach(address, { ...WATCHFUL, cancelGraceMs: 100 });
    // Node answers no heartbeat while a command is under way: there the stream's deadline finds out.
    const [code, options] = language === 'python' ? ['WORKER_LOST', {}] : ['CALL_TIMEOUT', { timeoutMs: 1_000 }];
    const items: unknown[] = [];
    const ended = failureOf(
      (async () => {
        for await (const item of pool.iterate('ticks', { path: scratch(), ms: 5 }, options)) {
          if (items.push(item) === 3) child.kill('SIGSTOP');
        }
      })(),
    );
    expect(await ended).toMatchObject({ code, delivery: 'may-have-run' });
    expect(items.length).toBeGreaterThanOrEqual(3);
    child.kill('SIGCONT');
    expect(await itemsOf(pool.stream('count', { to: 3 }))).toEqual([0, 1, 2]);
  });

  it('that ends within a stream fails it after the items that came', async () => {
    const first = await worker();
    const pool = await attach(first.address);
    const ticks = pool.iterate('ticks', { path: scratch(), ms: 5 });
    expect((await ticks.next()).done).toBe(false);
    await first.kill();
    const error = await failureOf(
      (async () => {
        for await (const _ of ticks);
      })(),
    );
    expect(error).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run' });
  });

  it('that was given another token is attached to no more, and the log says which option to mend', async () => {
    const first = await worker();
    const pool = await attach(first.address);
    await first.kill();
    await worker(first.address, 'the-next-token');
    await expect
      .poll(() => pool.lastFailure?.message ?? '', { timeout: 10_000 })
      .toContain('was started with another token');
    expect(logs.some(({ message }) => message.includes('was started with another token'))).toBe(true);
    expect(pool.stats().status).toBe('down');
  });
});
