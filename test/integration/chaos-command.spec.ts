import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { isAlive, processIds } from '../chaos/support/processes.mjs';

const MAIN = fileURLToPath(new URL('../chaos/main.mjs', import.meta.url));

describe.skipIf(process.platform !== 'linux')('npm run chaos', () => {
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'chaos-command-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('measures a group, writes its figures, and tells the seed', async () => {
    const file = join(folder, 'figures.json');
    const { status, stdout } = await chaos('--only', 'recovery', '--cycles', '2', '--seed', '3', '--json', file);

    expect(status).toBe(0);
    expect(stdout).toContain('repeat with --seed 3');
    const figures = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
    expect(Object.keys(figures)).toEqual([
      'recovery_p95_ms',
      'recovery_zygote_p95_ms',
      'errors_per_kill',
      'errors_per_kill_plain',
    ]);
    expect(figures['errors_per_kill']).toBe(0);
    expect(figures['recovery_p95_ms']).toBeGreaterThan(0);
  });

  it.each([
    [['--only', 'nothing'], "There is no group 'nothing'; there are kills, faults, recovery"],
    [['--cycles', 'many'], "--cycles needs a number above 0, not 'many'."],
    [['--fast'], "Unknown option '--fast'"],
  ])('refuses %j', async (args, message) => {
    const { status, stderr } = await chaos(...args);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });

  it('leaves no process when it is interrupted', async () => {
    const before = new Set(processIds());
    const child = spawn(process.execPath, [MAIN, '--only', 'kills', '--seed', '1'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const exit = once(child, 'exit');
    await once(createInterface({ input: child.stdout }), 'line');
    await expect.poll(() => childrenOf(child.pid).length, { timeout: 10_000 }).toBeGreaterThan(0);
    const [host] = childrenOf(child.pid);
    await expect.poll(() => childrenOf(host).length, { timeout: 10_000 }).toBeGreaterThan(3);
    const started = [host, ...childrenOf(host)].filter((pid) => pid !== undefined && !before.has(pid));

    child.kill('SIGINT');
    expect(await exit).toEqual([130, null]);
    await expect.poll(() => started.filter((pid) => pid !== undefined && isAlive(pid)), { timeout: 5_000 }).toEqual([]);
  });
});

function childrenOf(parent: number | undefined): number[] {
  return processIds().filter((pid) => {
    try {
      return Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').pop()?.split(' ')[1]) === parent;
    } catch {
      return false; // it has just ended
    }
  });
}

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function chaos(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) => {
      resolve({ status: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}
