import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { createSnakepit, node, python } from 'nestjs-snakepit/core';
import { describe, expect, inject, it } from 'vitest';

import { sendSignal } from '../../support/processes.js';
import { waitUntil } from '../../support/wait-until.js';
import { LANES, POOL_OPTIONS, workerOptions, type Lane } from './lanes.mjs';

const HOST = fileURLToPath(new URL('../../fixtures/faults/host.mjs', import.meta.url));
const run = promisify(execFile);
const isLinux = process.platform === 'linux';

/** What a host prints that a shell has put into straits. */
async function hostWithin(straits: string, shortage: string, lane: Lane, shell: readonly string[] = []) {
  const command = `${straits} && exec "$0" "$@"`;
  const [program = 'sh', ...args] = [...shell, 'sh', '-c', command, process.execPath, HOST];
  const { stdout } = await run(program, [...args, shortage, lane.name, inject('pythonPackages')], { timeout: 20_000 });
  return JSON.parse(stdout) as Readonly<Record<string, unknown>>;
}

describe.runIf(isLinux).each(LANES)('a host without descriptors, of workers in $name', (lane) => {
  it('goes on with the workers it has, says why there are no more, and starts them when there is room', async () => {
    const facts = await hostWithin('ulimit -n 100', 'descriptors', lane);
    expect(facts).toMatchObject({ ready: 1, answer: 42, status: 'up' });
  });
});

/** A /dev/shm of its own takes a space of mounts, which needs privileges. */
const canMount = isLinux && succeeds(() => execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' }));
const WITH_ARENA = LANES.filter(({ protocol }) => protocol === 'v2');

describe.runIf(canMount).each(WITH_ARENA)('a host whose /dev/shm is full, of workers in $name', (lane) => {
  it('sends large binary through the socket, and says so once for each worker', async () => {
    const full = 'mount -t tmpfs -o size=1m none /dev/shm && head -c 1m /dev/zero > /dev/shm/full';
    const facts = await hostWithin(full, 'shared memory', lane, ['unshare', '-m']);
    expect(facts).toMatchObject({ lengths: Array(3).fill(8 * 2 ** 20), restarts: 0 });
    const told = (facts['warnings'] as string[]).filter((message) => message.includes('arena is full'));
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThanOrEqual(POOL_OPTIONS.size ?? 1);
  });
});

describe.runIf(isLinux).each(LANES)('a worker that reads nothing for a while, in $name', (lane) => {
  it('gets all that waits for it when it reads again, whole and once', async () => {
    const options = workerOptions(lane, inject('pythonPackages'));
    const adapter = lane.language === 'python' ? python(options) : node(options);
    // What is stopped must not be taken for dead.
    const snakepit = await createSnakepit({ adapter, ...POOL_OPTIONS, size: 1, heartbeatTimeoutMs: 20_000, window: 8 });
    try {
      const pool = snakepit.pool();
      const lengths = Array.from({ length: 12 }, (_, n) => 4 * 2 ** 20 + n);
      for (let n = 0; n < 100; n += 1) await pool.execute('length', { value: 'warm' });
      const [pid] = pool.stats().pids;
      sendSignal(pid, 'SIGSTOP');
      const calls = lengths.map((length) => pool.execute('length', { value: 'x'.repeat(length) }));
      await waitUntil('the first of them to leave', () => pool.stats().inFlight > 0);
      await new Promise(setImmediate);
      sendSignal(pid, 'SIGCONT');
      expect(await Promise.all(calls)).toEqual(lengths);
      expect(pool.stats()).toMatchObject({ restarts: 0, errors: 0 });
    } finally {
      await snakepit.close();
    }
  });
});

function succeeds(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}
