import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  node,
  python,
  subscribe,
  type LogRecord,
  type PoolOptions,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { afterEach, describe, expect, it } from 'vitest';

import { pidIsAlive, untilGone } from '../support/processes.js';
import { useScratch } from '../support/records.js';
import { waitUntil } from '../support/wait-until.js';

const MEGABYTE = 1024 * 1024;
const moduleOf = (name: string) => fileURLToPath(new URL(`../fixtures/integration/${name}`, import.meta.url));

interface WorkerFacts {
  readonly pid: number;
}

describe.each([
  ['python', 'v1'],
  ['python', 'v2'],
  ['node', 'v1'],
  ['node', 'v2'],
] as const)('recycling of %s workers over %s', (language, protocol) => {
  const open = new Set<Snakepit>();
  afterEach(async () => {
    await Promise.all([...open].map((snakepit) => snakepit.close()));
    open.clear();
  });

  async function start(options: Partial<PoolOptions>) {
    const adapter =
      language === 'python'
        ? python({ module: moduleOf('hoarder.py'), protocol })
        : node({ module: moduleOf('hoarder.js'), protocol });
    const logs: LogRecord[] = [];
    const snakepit = await createSnakepit({ adapter, size: 2, ...options }, { log: (record) => logs.push(record) });
    open.add(snakepit);
    return { pool: snakepit.pool(), logs };
  }

  it('replaces each worker after maxCalls without failing a call or going below its size', async () => {
    const { pool } = await start({ recycle: { maxCalls: 200, checkIntervalMs: 10 } });
    const before = pool.stats().pids;
    const reasons: unknown[] = [];
    const fewest: number[] = [];
    const unsubscribe = subscribe('snakepit:worker', ({ to, reason }) => {
      if (to === 'draining') reasons.push(reason);
      const { available, busy } = pool.stats();
      fewest.push(available + busy);
    });
    const isOver = () => pool.stats().recycled['max-calls'] >= 4;
    const load = Array.from({ length: 8 }, async () => {
      const served = new Set<number>();
      while (!isOver()) served.add((await pool.execute<WorkerFacts>('worker')).pid);
      return [...served];
    });
    const served = new Set((await Promise.all(load)).flat());
    unsubscribe();
    expect(served.size).toBeGreaterThanOrEqual(4);
    // The event of a move comes before the pool counts it, so that a worker that leaves is still one of those that are ready.
    expect(Math.min(...fewest)).toBe(2);
    expect(new Set(reasons)).toEqual(new Set(['max-calls']));
    expect(pool.stats()).toMatchObject({ status: 'up', errors: 0, restarts: 0 });
    await untilGone(before);
  });

  it('replaces workers by age, one at a time, and leaves the pool whole', async () => {
    const { pool } = await start({ size: 3, recycle: { ttlMs: 50, jitterPercent: 50, checkIntervalMs: 10 } });
    const most: number[] = [];
    const unsubscribe = subscribe('snakepit:worker', () => most.push(pool.stats().workers));
    await waitUntil('three recycled', () => pool.stats().recycled.ttl >= 3);
    unsubscribe();
    expect(Math.max(...most)).toBe(4);
    expect(pool.stats()).toMatchObject({ status: 'up', errors: 0, restarts: 0 });
  });

  it('replaces a worker that was used and has been idle, and not the one that it is replaced by', async () => {
    const options = { size: 1, recycle: { idleMs: 100, checkIntervalMs: 10 } };
    const [{ pool }, clock] = [await start(options), await start(options)];
    const { pid } = await pool.execute<WorkerFacts>('worker');
    await waitUntil('the replacement', () => pool.stats().recycled.idle === 1);
    expect(pidIsAlive(pid)).toBe(false);
    const { pids } = pool.stats();
    // While another pool has replaced two that were used, each look here has seen the fresh one do nothing.
    for (let replaced = 1; replaced <= 2; replaced += 1) {
      await clock.pool.execute('worker');
      await waitUntil('the replacement elsewhere', () => clock.pool.stats().recycled.idle === replaced);
    }
    expect(pool.stats().pids).toEqual(pids);
  });

  it.runIf(process.platform === 'linux')('replaces a worker whose children hold the memory', async () => {
    const { pool } = await start({ size: 2, recycle: { maxRssBytes: 300 * MEGABYTE, checkIntervalMs: 20 } });
    const before = pool.stats().pids;
    await pool.execute('hoard', { count: 20 * MEGABYTE });
    const child = await pool.execute<number>('hoard_in_child', { count: 400 * MEGABYTE });
    await waitUntil('the replacement', () => pool.stats().recycled['max-rss'] === 1);
    await untilGone([child]);
    const after = pool.stats().pids;
    expect(after).toHaveLength(2);
    expect(after.filter((pid) => before.includes(pid))).toHaveLength(1);
  });
});

describe('recycling', () => {
  const scratch = useScratch();

  it('keeps a worker whose replacement does not start, says so, and tries again later', async () => {
    const SWITCH = scratch('switch');
    const logs: LogRecord[] = [];
    const snakepit = await createSnakepit(
      {
        adapter: python({ module: moduleOf('crash_switch.py') }),
        env: { SWITCH },
        size: 1,
        recycle: { ttlMs: 200, checkIntervalMs: 10 },
        restart: { initialDelayMs: 50 },
      },
      { log: (record) => logs.push(record) },
    );
    try {
      const pool = snakepit.pool();
      writeFileSync(SWITCH, '');
      const said = (text: string) => logs.find(({ level, message }) => level === 'error' && message.includes(text));
      const { message, worker } = await waitUntil('the error', () => said('is to be recycled (ttl) and stays'));
      expect(message).toContain('the licence has expired');
      expect(worker).toBe('default-1');
      expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
      expect(pool.stats()).toMatchObject({ status: 'up', restarts: 0, recycled: { ttl: 0 } });
      rmSync(SWITCH);
      await waitUntil('the replacement', () => pool.stats().recycled.ttl >= 1);
      expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
    } finally {
      await snakepit.close();
    }
  });
});
