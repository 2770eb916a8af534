import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const cwd = fileURLToPath(new URL('../../bridges/ruby', import.meta.url));
const TIMEOUT_MS = 180_000;
const ALL = 'Dir["test/test_*.rb"].sort.each { |file| require File.expand_path(file) }';

/** Minitest's own report; it comes with Ruby. */
async function minitest(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('ruby', ['-w', '-e', ALL], { cwd });
    return stdout;
  } catch (cause) {
    const { stdout, stderr } = cause as { stdout?: string; stderr?: string };
    throw new Error(`${stdout}\n${stderr}`, { cause });
  }
}

it(
  'tests written in Ruby pass for the Ruby SDK',
  async () => {
    expect(await minitest()).toMatch(/[1-9]\d* runs, [1-9]\d* assertions, 0 failures, 0 errors, 0 skips/);
  },
  TIMEOUT_MS,
);
