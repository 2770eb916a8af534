import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { createSnakepit, isSnakepitError, python, type PoolOptions, type Snakepit } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, it } from 'vitest';

import { failureOf } from '../support/outcomes.js';
import { entryWith, useScratch } from '../support/records.js';

const MODULE = fileURLToPath(new URL('../fixtures/contract/commands.py', import.meta.url));
const MB = 1024 * 1024;
const OUTCOMES = new Set(['answered', 'POOL_SATURATED', 'QUEUE_TIMEOUT', 'CALL_TIMEOUT']);

describe('an overloaded pool', () => {
  const scratch = useScratch();
  let open: Snakepit | undefined;
  afterEach(() => open?.close());

  async function start(options: Partial<PoolOptions>) {
    open = await createSnakepit({ adapter: python({ module: MODULE }), size: 1, ...options });
    return open.pool();
  }

  /** A pool whose only worker is at work until `release` is awaited. */
  async function startBusy(options: Partial<PoolOptions>) {
    const pool = await start(options);
    const path = scratch();
    const release = pool.execute('block', { ms: 500, path });
    await entryWith(path, 'began');
    return { pool, release };
  }

  it('lets no more wait than maxQueueBytes, by what was passed, and answers what does wait', async () => {
    const { pool, release } = await startBusy({ maxQueueBytes: 2.5 * MB });
    const values = [Buffer.alloc(MB, 1), 'x'.repeat(MB)];
    const waiting = values.map((value) => pool.execute('same', { value }));
    const error = await failureOf(pool.execute('same', { value: Buffer.alloc(MB) }));
    expect(error).toMatchObject({ code: 'POOL_SATURATED', delivery: 'not-started', retryable: true });
    expect(error.message).toContain(`maxQueueBytes ${2.5 * MB}`);
    const small = pool.execute('add', { a: 1, b: 2 });
    await release;
    expect(await Promise.all([...waiting, small])).toEqual([...values, 3]);
    expect(pool.stats()).toMatchObject({ queued: 0, saturated: 1, succeeded: 4 });
  });

  it('gives the place of a call of low priority to an urgent one when the queue is full', async () => {
    const { pool, release } = await startBusy({ maxQueue: 1 });
    const low = failureOf(pool.execute('same', { value: 'low' }, { priority: 'low' }));
    const urgent = pool.execute('same', { value: 'urgent' }, { priority: 'high' });
    expect(await low).toMatchObject({ code: 'POOL_SATURATED', delivery: 'not-started' });
    await release;
    expect(await urgent).toBe('urgent');
  });

  it('goes on answering in time while three times as many calls come as it can run', async () => {
    const WORK_MS = 10;
    const SECONDS = 2;
    const pool = await start({ size: 2, cancelGraceMs: 10_000 });
    const calls: Array<Promise<string>> = [];
    const began = performance.now();
    const due = (): number => (((performance.now() - began) * 2) / WORK_MS) * 3;
    while (performance.now() - began < SECONDS * 1_000) {
      while (calls.length < due()) {
        const call = pool.execute('block', { ms: WORK_MS }, { timeoutMs: 250 });
        calls.push(
          call.then(
            () => 'answered',
            (error: unknown) => (isSnakepitError(error) ? error.code : String(error)),
          ),
        );
      }
      await sleep(2);
    }
    const outcomes = await Promise.all(calls);
    const count = (name: string): number => outcomes.filter((outcome) => outcome === name).length;
    expect(outcomes.filter((outcome) => !OUTCOMES.has(outcome))).toEqual([]);
    expect(count('answered')).toBeGreaterThan(0);
    expect(count('POOL_SATURATED')).toBeGreaterThan(0);
    expect(count('QUEUE_TIMEOUT')).toBeGreaterThan(0);
    expect(count('CALL_TIMEOUT')).toBeLessThan(count('answered') / 4);
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
  });
});
