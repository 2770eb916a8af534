import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { useFolder } from './folders.js';
import { waitUntil } from './wait-until.js';

/** Paths for what workers write down, in a folder that is gone after the tests of this block. */
export function useScratch(): (name?: string) => string {
  const folder = useFolder();
  let count = 0;
  return (name = 'record') => join(folder(), `${name}-${(count += 1)}`);
}

export type Entry = Readonly<Record<string, unknown>>;

/** The JSON lines that a worker has written so far. */
export function entriesOf(path: string): Entry[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  // The last piece is a line that is still being written, or nothing.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Entry);
}

/** The first line that a worker writes there with a member of this name. */
export function entryWith(path: string, member: string, timeoutMs?: number): Promise<Entry> {
  return waitUntil(`'${member}' in ${path}`, () => entriesOf(path).find((entry) => member in entry), timeoutMs);
}

/** The number that a worker keeps in a file. */
export function numberIn(path: string): number {
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
}
