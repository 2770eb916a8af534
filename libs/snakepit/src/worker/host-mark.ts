import { readFileSync, readlinkSync } from 'node:fs';

let cached: { readonly mark: string | undefined } | undefined;

/**
 * Names this process for good, `4711.82345.4026531836.1000`: its id, its start in clock ticks since the machine's, its space of process ids
 * (containers have their own) and its user. Workers carry it as SNAKEPIT_HOST, so that a later host can tell whether theirs is gone.
 * Undefined where the system does not tell (anything but Linux).
 */
export function hostMark(): string | undefined {
  cached ??= { mark: readMark() };
  return cached.mark;
}

function readMark(): string | undefined {
  try {
    // Fields of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, counted from the third: the name before it may hold spaces.
    const startTicks = readFileSync('/proc/self/stat', 'utf8').split(') ').pop()?.split(' ')[19];
    const space = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0];
    const user = process.getuid?.();
    if (startTicks === undefined || space === undefined || user === undefined) return undefined;
    return [process.pid, startTicks, space, user].join('.');
  } catch {
    return undefined;
  }
}
