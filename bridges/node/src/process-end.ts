import { readFileSync } from 'node:fs';

import { processHooks, type Hooks } from './definition.js';

/** Ends this process at once, and its process group with it when this process leads one. */
export function endGroup(): never {
  if (leadsGroup()) process.kill(-process.pid, 'SIGKILL');
  process.exit(0);
}

/** Whether the process group of this process is its own. */
export function leadsGroup(): boolean {
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
export async function runShutdownHooks(hooks: Hooks = processHooks()): Promise<void> {
  for (const hook of hooks.shutdown) {
    try {
      await hook();
    } catch (error) {
      console.error('A shutdown hook failed:', error);
    }
  }
}
