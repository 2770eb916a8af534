import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** An empty folder, made when it is first asked for, since a block may have no test that runs; gone after the tests of this block. */
export function useFolder(prefix = 'snakepit-test-'): () => string {
  let folder: string | undefined;
  afterAll(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  return () => (folder ??= mkdtempSync(join(tmpdir(), prefix)));
}
