import { execFileSync } from 'node:child_process';

import { isAlive } from '../chaos/support/processes.mjs';
import { waitUntil } from './wait-until.js';

/** Whether a process runs; one that has ended and only waits to be reaped does not. */
export function pidIsAlive(pid: number): boolean {
  if (process.platform === 'linux') return isAlive(pid);
  try {
    const state = execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' });
    return !state.trim().startsWith('Z');
  } catch {
    return false;
  }
}

/** Unlike `process.kill`, which takes 0 for all of this process's own group. @throws for a process that there is not */
export function sendSignal(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) throw new Error(`there is no process to send ${signal} to`);
  process.kill(pid, signal);
}

export async function untilGone(pids: readonly number[], timeoutMs = 5_000): Promise<void> {
  await waitUntil(`the end of processes ${pids.join(', ')}`, () => !pids.some(pidIsAlive), timeoutMs);
}
