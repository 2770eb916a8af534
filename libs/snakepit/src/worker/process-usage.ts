import { readFile } from 'node:fs/promises';

/** What a process has and has had of the machine. */
export interface ProcessUsage {
  /** Pages in memory, those that it shares with other processes included. */
  readonly rssBytes: number;
  /** Time on a CPU since it was started, all of its threads together. */
  readonly cpuSeconds: number;
}

/** Linux tells times in hundredths of a second, whatever its kernel counts in (`USER_HZ`, proc_pid_stat(5)). */
const TICKS_PER_SECOND = 100;
/** The fields 14 and 15 of `/proc/<pid>/stat`; the second, the program's name, may hold anything, parentheses included. */
const CPU_FIELDS = /^\d+ \(.*\) \S (?:-?\d+ ){10}(\d+) (\d+) /s;

/** Two small files; undefined for a process that is gone, and where the system does not tell (anything but Linux). */
export async function readProcessUsage(pid: number): Promise<ProcessUsage | undefined> {
  try {
    const [stat, status] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ]);
    const [, user, system] = CPU_FIELDS.exec(stat) ?? [];
    if (user === undefined || system === undefined) return undefined;
    // Not the field of `stat`, which counts pages of a size that Node does not know.
    const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
    return { rssBytes: kilobytes * 1024, cpuSeconds: (Number(user) + Number(system)) / TICKS_PER_SECOND };
  } catch {
    return undefined;
  }
}
