import { readFile } from 'node:fs/promises';

export interface ProcessMemory {
  /** Pages in memory, those that it shares with other processes included. */
  readonly rssBytes: number;
  /** The same, with each shared page divided among those who share it: sums over processes are what they really take. */
  readonly pssBytes: number;
}

/** What a process takes of the memory; undefined when it is gone, and where the system does not tell (anything but Linux). */
export async function readProcessMemory(pid: number): Promise<ProcessMemory | undefined> {
  try {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    return { rssBytes: bytesOf(rollup, 'Rss'), pssBytes: bytesOf(rollup, 'Pss') };
  } catch {
    return undefined;
  }
}

function bytesOf(rollup: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1] ?? 0) * 1024;
}
