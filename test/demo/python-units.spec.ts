import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';

import { REPOSITORY } from './demo-app.js';

const run = promisify(execFile);
const TIMEOUT_MS = 300_000;

/** Python's own report of its tests; they are written with unittest, so that the workers need nothing but Python. */
async function unittest(args: readonly string[]): Promise<string> {
  const env = { ...process.env, SNAKEPIT_TEST_PYTHON_PACKAGES: inject('pythonPackages') };
  try {
    const { stderr } = await run('python3', ['-m', 'unittest', 'discover', ...args], { cwd: REPOSITORY, env });
    return stderr;
  } catch (cause) {
    throw new Error((cause as { stderr?: string }).stderr, { cause });
  }
}

describe('tests written in Python', () => {
  it.each([
    ["the demo's workers", ['-s', 'apps/demo/workers/tests']],
    ['the Python SDK', ['-s', 'bridges/python/tests', '-t', 'bridges/python']],
  ])(
    'pass for %s',
    async (_, args) => {
      expect(await unittest(args)).toMatch(/Ran [1-9]\d* tests? in [\s\S]*\nOK/);
    },
    TIMEOUT_MS,
  );
});
