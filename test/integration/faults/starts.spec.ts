import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';

import { createSnakepit, node, python, type PoolOptions, type PoolService, type Snakepit } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { failureOf } from '../../support/outcomes.js';
import { sendSignal } from '../../support/processes.js';
import { useScratch } from '../../support/records.js';
import { waitUntil } from '../../support/wait-until.js';
import { LANES, POOL_OPTIONS, workerOptions, type Lane } from './lanes.mjs';

const SIZE = 2;
const RESTART = { initialDelayMs: 1, maxDelayMs: 20, budget: 5 };
const PYTHON = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

/** What keeps workers from starting, while the pool runs and before. */
describe.runIf(process.platform === 'linux').each(LANES)('a pool of workers in $name', (lane: Lane) => {
  const scratch = useScratch();
  const open: Snakepit[] = [];
  afterEach(() => Promise.all(open.splice(0).map((snakepit) => snakepit.close())));

  function adapterOf(env: Record<string, string> = {}, more: { interpreter?: string } = {}) {
    const options = { ...workerOptions(lane, inject('pythonPackages'), env), ...more };
    return lane.language === 'python' ? python(options) : node(options);
  }

  async function start(options: PoolOptions): Promise<PoolService> {
    const snakepit = await createSnakepit({ ...POOL_OPTIONS, ...options });
    open.push(snakepit);
    return snakepit.pool();
  }

  /** Kills all workers; gives the refusal of the first call that finds none. */
  async function refusalAfterDeath(pool: PoolService) {
    for (const { pid } of pool.workers()) sendSignal(pid, 'SIGKILL');
    return waitUntil('the refusal', async () => {
      const failed = await failureOf(pool.execute('add', { a: 1, b: 2 }, { timeoutMs: 200 }));
      return failed.code === 'POOL_NOT_READY' ? failed : undefined;
    });
  }

  async function expectRecovery(pool: PoolService): Promise<void> {
    await waitUntil('a whole pool', () => pool.stats().available === SIZE);
    expect(pool.status).toBe('up');
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
  }

  it('goes down with the reason when they exit at start, and recovers with its cause', async () => {
    const FAULTY_SWITCH = scratch('switch');
    const pool = await start({
      adapter: adapterOf({ FAULTY_SWITCH }),
      restart: RESTART,
    });
    writeFileSync(FAULTY_SWITCH, '');
    const error = await refusalAfterDeath(pool);
    expect(error).toMatchObject({ delivery: 'not-started', retryable: true, httpStatus: 503 });
    expect(error.message).toContain('the licence has expired');
    rmSync(FAULTY_SWITCH);
    await expectRecovery(pool);
  });

  it('does not start when they exit at start, and says how', async () => {
    const FAULTY_SWITCH = scratch('switch');
    writeFileSync(FAULTY_SWITCH, '');
    const error = await failureOf(start({ adapter: adapterOf({ FAULTY_SWITCH }) }));
    expect(error).toMatchObject({ code: 'WORKER_START_FAILED', delivery: 'not-started' });
    expect(error.message).toMatch(/exit: +status 9/);
    expect(error.message).toContain('the licence has expired');
  });

  it('goes down with the reason when their interpreter is removed, and recovers when it is back', async () => {
    const interpreter = scratch('interpreter');
    const target = lane.language === 'python' ? PYTHON : process.execPath;
    symlinkSync(target, interpreter);
    const pool = await start({ adapter: adapterOf({}, { interpreter }), restart: RESTART });
    rmSync(interpreter);
    expect(existsSync(interpreter)).toBe(false);
    // Those that run go on.
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
    const error = await refusalAfterDeath(pool);
    expect(error.message).toContain(interpreter);
    expect(error.message).toMatch(/ENOENT|not found|No such file/i);
    symlinkSync(target, interpreter);
    await expectRecovery(pool);
  });
});
