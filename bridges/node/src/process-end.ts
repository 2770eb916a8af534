import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import { processHooks } from './definition.js';

/** Ends this process at once, and its process group with it when this process leads one. */
export function endGroup(): never {
  if (leadsGroup()) process.kill(-process.pid, 'SIGKILL');
  process.exit(0);
}

function leadsGroup(): boolean {
  try {
    // Field 5 of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; the name before it may hold spaces.
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').pop()!.split(' ');
    return Number(fields[2]) === process.pid;
  } catch {
    return groupExists(process.pid);
  }
}

/** Without /proc: a group named by our id exists only if we lead it. */
function groupExists(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}

/** Runs the shutdown hooks; a hook that fails does not keep the others from running. */
export async function runShutdownHooks(): Promise<void> {
  for (const hook of processHooks().shutdown) {
    try {
      await hook();
    } catch (error) {
      console.error('A shutdown hook failed:', error);
    }
  }
}

const WATCH = `
const { workerData: { parent, group } } = require('node:worker_threads');
setInterval(() => {
  if (process.ppid === parent) return;
  try { process.kill(group ? -process.pid : process.pid, 'SIGKILL'); } catch {}
}, 100);
`;

/**
 * A command that blocks the main thread keeps it from seeing that the host is gone; a thread sees that the parent
 * changed and kills the group.
 */
export function watchParent(): void {
  const workerData = { parent: process.ppid, group: leadsGroup() };
  const thread = new Worker(WATCH, { eval: true, workerData, stdin: false, stdout: false, stderr: false });
  thread.on('error', (error) => console.error('The thread that watches for the end of the host failed:', error));
  thread.unref();
}
