/** What the system tells of processes; Linux only, since it is read from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

export function processIds() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** `PF_EXITING` of the kernel's include/linux/sched.h, in the ninth field of /proc/PID/stat. */
const EXITING = 0x4;

/**
 * Whether a process runs. One that has ended does not, though it waits to be reaped, or the kernel still gives back its memory: that takes a
 * moment for much of it, and longer on a busy machine.
 */
export function isAlive(pid) {
  const stat = read(pid, 'stat');
  if (stat === undefined) return false;
  // The name before it may hold anything.
  const [state, , , , , , flags] = stat.slice(stat.lastIndexOf(') ') + 2).split(' ');
  return state !== 'Z' && state !== 'X' && (Number(flags) & EXITING) === 0;
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
