import { readdir, readFile } from 'node:fs/promises';

/** The fifth field of `/proc/<pid>/stat`; the second, the program's name, may hold anything, parentheses included. */
export const GROUP_FIELD = /^\d+ \(.*\) \S \d+ (\d+) /s;

/** Whether the system tells what process groups take of the memory. */
export const canReadGroupMemory = process.platform === 'linux';

/**
 * What process groups take of the memory, by the process that leads each: all its members together, in bytes.
 *
 * Pages that members share are counted for each of them. Groups that are gone are left out. Reads all of /proc once, however
 * many groups are asked for.
 */
export async function readGroupMemory(leaders: ReadonlySet<number>): Promise<Map<number, number>> {
  const sums = new Map<number, number>();
  const names = await readdir('/proc');
  await Promise.all(
    names.map(async (name) => {
      if (!isProcess(name)) return;
      const leader = Number(GROUP_FIELD.exec(await textOf(`/proc/${name}/stat`))?.[1]);
      if (!leaders.has(leader)) return;
      // Not the field of `stat`, which counts pages of a size that Node does not know.
      const kilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(await textOf(`/proc/${name}/status`))?.[1] ?? 0);
      sums.set(leader, (sums.get(leader) ?? 0) + kilobytes * 1024);
    }),
  );
  return sums;
}

function isProcess(name: string): boolean {
  const first = name.charCodeAt(0);
  return first >= 0x30 && first <= 0x39;
}

/** Empty for what ended in the meantime. */
async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}
