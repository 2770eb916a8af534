import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, expect } from 'vitest';

import { waitUntil } from '../support/wait-until.js';

/** Of one spec file: what it, or anything that it starts, leaves in the folder for temporary files fails it. */
const run = tmpdir();
const folder = mkdtempSync(join(run, 'f-'));
// As /tmp is.
chmodSync(folder, 0o1777);
process.env['TMPDIR'] = folder;

// Set up before those of the file itself, so it runs after them.
afterAll(async () => {
  // Guardians of hosts that were killed tidy up a moment later.
  await waitUntil('an empty folder', () => readdirSync(folder).length === 0, 3_000).catch(() => {});
  const left = readdirSync(folder, { recursive: true }).map(String);
  process.env['TMPDIR'] = run;
  rmSync(folder, { recursive: true, force: true });
  expect(left, `left in the folder for temporary files by ${relative('.', expect.getState().testPath ?? '')}`).toEqual(
    [],
  );
});
