import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { createSnakepit, python, type PoolOptions, type Snakepit } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { failureOf } from '../support/outcomes.js';
import { sendSignal } from '../support/processes.js';
import { useScratch } from '../support/records.js';
import { waitUntil } from '../support/wait-until.js';

const module = fileURLToPath(new URL('../fixtures/integration/hangs.py', import.meta.url));
const crashSwitch = fileURLToPath(new URL('../fixtures/integration/crash_switch.py', import.meta.url));

describe('the crash barrier', () => {
  const scratch = useScratch();
  const open = new Set<Snakepit>();
  afterEach(async () => {
    await Promise.all([...open].map((snakepit) => snakepit.close()));
    open.clear();
  });

  async function start(options: Partial<PoolOptions> = {}) {
    const adapter = python({ module, path: [inject('pythonPackages')] });
    const snakepit = await createSnakepit({ adapter, size: 2, ...options });
    open.add(snakepit);
    return snakepit.pool();
  }

  it('refuses a command that keeps killing workers, not the others, and takes it again when it is mended', async () => {
    const pool = await start({ taint: { probeAfterMs: 300 } });
    const path = scratch('crashes');
    writeFileSync(path, '');
    for (let death = 1; death <= 3; death += 1) {
      expect(await failureOf(pool.execute('crash_while', { path }))).toMatchObject({ code: 'WORKER_EXITED' });
    }
    const refused = await failureOf(pool.execute('crash_while', { path }));
    expect(refused).toMatchObject({
      code: 'COMMAND_TAINTED',
      delivery: 'not-started',
      retryable: true,
      httpStatus: 503,
    });
    expect(refused.message).toMatch(/3 of them died of it.*SIGSEGV/);
    expect(typeof (await pool.execute('pid'))).toBe('number');
    rmSync(path);
    await waitUntil('the probe', async () => {
      const outcome = await pool.execute('crash_while', { path }).catch((error: unknown) => error);
      return outcome === 'survived';
    });
    const restarts = pool.stats().restarts;
    expect(await pool.execute('crash_while', { path })).toBe('survived');
    expect(pool.stats().restarts).toBe(restarts);
  });

  it('stops the further attempts of an idempotent call, and refuses those that wait behind it', async () => {
    const pool = await start({ size: 1, maxAttempts: 100, taint: { deaths: 4 } });
    const path = scratch('crashes');
    writeFileSync(path, '');
    const calls = [1, 2, 3].map(() => failureOf(pool.execute('crash_while', { path }, { idempotent: true })));
    const [first, ...others] = await Promise.all(calls);
    expect(first).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run' });
    for (const other of others) expect(other).toMatchObject({ code: 'COMMAND_TAINTED', delivery: 'not-started' });
    await waitUntil('a whole pool', () => pool.status === 'up');
    expect(pool.stats().restarts).toBe(4);
  });

  it('tries one worker at a time while none can live, says why, and comes back whole with the first that does', async () => {
    const SWITCH = scratch('switch');
    const adapter = python({ module: crashSwitch });
    const restart = { initialDelayMs: 1, maxDelayMs: 30, budget: 6 };
    const pool = await start({ adapter, env: { SWITCH }, size: 3, restart });
    writeFileSync(SWITCH, '');
    for (const { pid } of pool.workers()) sendSignal(pid, 'SIGKILL');
    const refused = await waitUntil('the outage', async () => {
      const error = await failureOf(pool.execute('add', { a: 1, b: 2 }, { timeoutMs: 500 }));
      return error.code === 'POOL_NOT_READY' ? error : undefined;
    });
    expect(refused.message).toContain('the licence has expired');
    expect(pool.lastFailure?.message).toContain('the licence has expired');
    const atOutage = pool.stats().restarts + 3;
    await waitUntil('what was under way to end', () => pool.stats().restarts > atOutage);
    let most = 0;
    const until = pool.stats().restarts + 4;
    await waitUntil('further tries', () => {
      most = Math.max(most, pool.stats().workers);
      return pool.stats().restarts >= until;
    });
    expect(most).toBe(1);
    rmSync(SWITCH);
    await waitUntil('the whole pool', () => pool.status === 'up');
    expect(pool.stats().available).toBe(3);
    expect(pool.lastFailure).toBeUndefined();
  });

  it('tells in what way its workers end that become ready and die', async () => {
    const pool = await start({ size: 1, restart: { initialDelayMs: 300 } });
    const path = scratch('crashes');
    writeFileSync(path, '');
    await failureOf(pool.execute('crash_while', { path }));
    await waitUntil('the reason', () => pool.lastFailure?.message.includes('SIGSEGV'));
    expect(pool.lastFailure).toMatchObject({ code: 'WORKER_EXITED' });
  });

  it('blames nobody for workers that are killed from outside', async () => {
    const pool = await start({ size: 1 });
    const path = scratch();
    for (let kill = 1; kill <= 4; kill += 1) {
      const call = failureOf(pool.execute('hang', { path: `${path}-${kill}` }));
      const busy = await waitUntil('the call', () => pool.workers().find(({ inFlight }) => inFlight > 0));
      sendSignal(busy.pid, 'SIGKILL');
      expect((await call).code).toBe('WORKER_EXITED');
    }
  });
});
