import { describe, expect, it } from 'vitest';

import { resolveOptions, silentLog } from '../core/index.js';
import { Random } from '../testing/simulation/random.js';
import { FAIR } from '../testing/simulation/script.js';
import { World } from '../testing/simulation/world.js';
import { poolOptionTable, type ResolvedPoolOptions } from './options.js';
import { Pool } from './pool.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const OPTIONS = resolveOptions(poolOptionTable, {
  adapter: {
    name: 'scripted',
    prepare: () =>
      Promise.resolve({ language: 'script', executable: 'scripted', args: [], env: {}, protocol: 'v2', codec: 'auto' }),
  },
  startTimeoutMs: 1_000,
  drainTimeoutMs: 50,
  killGraceMs: 50,
  arena: { enabled: false },
});

/** A pool before scripted processes that all start well. */
async function openPool(size: number, given: Partial<ResolvedPoolOptions> = {}) {
  const observer = {
    onHanded: () => {},
    onAskedToStop: () => {},
    onAnswered: () => {},
    onGone: () => {},
    onNote: () => {},
  };
  const world = new World(new Random(1), FAIR, observer);
  const pool = new Pool({
    name: 'pool',
    options: { ...OPTIONS, size, ...given },
    instance: 'simulated',
    hostEnv: {},
    affinity: { lastWorkerOf: () => undefined, rememberWorker: () => {} },
    onHostCall: () => Promise.resolve(null),
    clock: world.clock,
    log: silentLog,
    launch: world.launch,
  });
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1) {
      world.clock.advance(1);
      await turn();
    }
  };
  const started = pool.start();
  await turn();
  await pass(50);
  await started;
  return { pool, world, pass };
}

describe('Supervisor', () => {
  it('has no worker too many after a pool was made smaller while one was replaced', async () => {
    const { pool, world, pass } = await openPool(2);
    const restarted = pool.restart(pool.workers()[0]!.id).catch((error: unknown) => error);
    pool.resize(1);
    await pass(200);
    await restarted;
    expect(pool.workers().map(({ state }) => state)).toEqual(['ready']);
    expect(world.processes.size).toBe(1);
    const closed = pool.close();
    await pass(600);
    await closed;
    expect([world.processes.size, world.clock.timers]).toEqual([0, 0]);
  });

  it('replaces no more workers at once than it may while some are recycled and all are reloaded', async () => {
    const { pool, world, pass } = await openPool(3, {
      recycle: { ...OPTIONS.recycle, ttlMs: 60, jitterPercent: 0, checkIntervalMs: 10, maxUnavailable: 1 },
    });
    const mostProcesses = { seen: 0 };
    while (world.processes.size === 3) await pass(1);
    const reloaded = pool.reload();
    for (let passed = 0; passed < 200; passed += 1) {
      await pass(1);
      mostProcesses.seen = Math.max(mostProcesses.seen, world.processes.size);
    }
    await reloaded;
    expect(mostProcesses.seen).toBe(4);
    const closed = pool.close();
    await pass(600);
    await closed;
  });

  it('leaves no timer behind when it closes while a worker is given up in which a command hangs', async () => {
    const { pool, world, pass } = await openPool(1, { cancelGraceMs: 5, window: 4, concurrency: 4 });
    for (const process of world.processes) process.isFrozen = true;
    const settings = { priority: 'normal', session: undefined } as const;
    const calls = [10, 1_000].map((timeoutMs, n) =>
      pool.execute('slow', { n }, { ...settings, timeoutMs }).catch((error: unknown) => error),
    );
    await pass(40);
    for (const process of world.processes) process.end({ kind: 'exit', status: 0 });
    await pass(4);
    const closed = pool.close();
    await pass(60);
    await Promise.all([closed, ...calls]);
    expect([world.processes.size, world.clock.timers]).toEqual([0, 0]);
  });

  it('starts another worker when its last one fails beside one that is being replaced, and its restart budget is used up', async () => {
    const restart = { ...OPTIONS.restart, initialDelayMs: 1, budget: 1 };
    const { pool, world, pass } = await openPool(1, { restart });
    const crash = async (): Promise<void> => {
      for (const process of world.processes) process.end({ kind: 'exit', status: 1 });
      await pass(4);
    };
    await crash();
    await pass(30);
    await crash();
    const [stuck] = world.processes;
    stuck!.isFrozen = true;
    const restarted = pool.restart(stuck!.id);
    while (pool.status !== 'up') await pass(1);
    for (const process of world.processes) if (process !== stuck) process.end({ kind: 'exit', status: 1 });
    await pass(200);
    await restarted;
    expect(pool.workers().map(({ state }) => state)).toEqual(['ready']);
    const closed = pool.close();
    await pass(600);
    await closed;
  });
});
