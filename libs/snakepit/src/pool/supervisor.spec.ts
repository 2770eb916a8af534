import { describe, expect, it } from 'vitest';

import { silentLog } from '../core/index.js';
import { Random } from '../testing/simulation/random.js';
import { FAIR } from '../testing/simulation/script.js';
import { drawOptions } from '../testing/simulation/schedule-options.js';
import { World } from '../testing/simulation/world.js';
import { Pool } from './pool.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A pool before scripted processes that all start well. */
async function openPool(size: number) {
  const observer = { onHanded: () => {}, onAnswered: () => {}, onGone: () => {}, onNote: () => {} };
  const world = new World(new Random(1), FAIR, observer);
  const pool = new Pool({
    name: 'pool',
    options: { ...drawOptions(new Random(1)), size, startTimeoutMs: 1_000 },
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
});
