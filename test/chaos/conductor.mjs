import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { processesOf } from './support/processes.mjs';

const GROUP_HOST = fileURLToPath(new URL('group-host.mjs', import.meta.url));
/** How long a group's processes may take to end after it. */
const LEAVE_MS = 2_000;

/**
 * Runs one group in a host process of its own, and looks for what it leaves behind.
 *
 * @param {import('./figures.mjs').ChaosGroup} group
 * @param {{ cycles: number, seed: number, isQuick: boolean, signal: AbortSignal, onProgress: (text: string) => void }} how
 * @returns {Promise<{ figures: Record<string, number>, notes: string[] } | { failure: string }>}
 */
export async function runGroup(group, { cycles, seed, isQuick, signal, onProgress }) {
  const instructions = JSON.stringify({ group: group.name, cycles, seed, isQuick });
  // A group that is killed cannot tidy up.
  const folder = mkdtempSync(join(tmpdir(), 'chaos-'));
  const host = spawn(process.execPath, ['--expose-gc', GROUP_HOST, instructions], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, TMPDIR: folder },
  });
  const timeout = AbortSignal.timeout(group.timeoutMinutes * 60_000);
  const onEnd = () => host.kill('SIGKILL');
  for (const cause of [timeout, signal]) cause.addEventListener('abort', onEnd);
  let result;
  host.on('message', ({ progress, outcome, failure }) => {
    if (progress === undefined) result = outcome ?? { failure };
    else onProgress(progress);
  });
  const [status, killedBy] = await once(host, 'exit');
  signal.removeEventListener('abort', onEnd);
  const left = await leftBy(host.pid);
  rmSync(folder, { recursive: true, force: true });
  if (signal.aborted) return { failure: 'interrupted' };
  if (timeout.aborted) return { failure: `hung: no result after ${group.timeoutMinutes} minutes` };
  if (left.length > 0) return { failure: `left ${left.length} processes behind, which were killed` };
  return result ?? { failure: `its host ended with ${killedBy ?? `status ${status}`} before it had a result` };
}

async function leftBy(hostPid) {
  const deadline = performance.now() + LEAVE_MS;
  while (processesOf(hostPid).length > 0 && performance.now() < deadline) await sleep(20);
  const left = processesOf(hostPid);
  for (const pid of left) process.kill(pid, 'SIGKILL');
  return left;
}
