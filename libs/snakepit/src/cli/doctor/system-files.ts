import { readFileSync } from 'node:fs';

/** Reads a file of the system; undefined where there is none. Tests give another. */
export type ReadSystemFile = (path: string) => string | undefined;

export const readSystemFile: ReadSystemFile = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};
