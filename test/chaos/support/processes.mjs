/** What the system tells of processes; Linux only, since it is read from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

export function processIds() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Whether a process runs; one that has ended and only waits to be reaped does not. */
export function isAlive(pid) {
  const stat = read(pid, 'stat');
  return stat !== undefined && !/\) [ZX]/.test(stat);
}

/** All that belong to a host, as their environment says: its workers, what they have started, and its guardian. */
export function processesOf(hostPid) {
  const mark = `\0SNAKEPIT_HOST=${hostPid}.`;
  return processIds().filter((pid) => `\0${read(pid, 'environ') ?? ''}`.includes(mark) && isAlive(pid));
}

/** The process that is to end everything with the host; undefined until it is started. */
export function guardianOf(hostPid) {
  return processIds().find((pid) => {
    const isGuardian = read(pid, 'cmdline')?.includes('\0snakepit-guardian\0') === true;
    return isGuardian && read(pid, 'stat')?.split(') ').pop().split(' ')[1] === String(hostPid);
  });
}

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return undefined; // it is gone
  }
}
