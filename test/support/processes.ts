import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { waitUntil } from './wait-until.js';

/** Whether a process runs; one that has ended and only waits to be reaped does not. */
export function pidIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return stateOf(pid) !== 'Z';
}

/** Unlike `process.kill`, which takes 0 for all of this process's own group. @throws for a process that there is not */
export function sendSignal(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) throw new Error(`there is no process to send ${signal} to`);
  process.kill(pid, signal);
}

export async function untilGone(pids: readonly number[], timeoutMs = 5_000): Promise<void> {
  await waitUntil(`the end of processes ${pids.join(', ')}`, () => !pids.some(pidIsAlive), timeoutMs);
}

/** One letter as `ps` shows it; undefined for a process that is gone. */
function stateOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
    return execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).trim()[0];
  } catch {
    return undefined;
  }
}
