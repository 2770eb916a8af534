import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { SnakepitError, toError } from '../core/index.js';
import { findExecutable } from './executable.js';

export const MINIMUM_RUBY = [3, 0] as const;

/** What it prints is JSON of numbers alone, whatever the encoding; without gems it takes a third of the time. */
const PROBE = 'require "rbconfig"; print [RUBY_VERSION.split(".").first(2).map(&:to_i), RbConfig.ruby.bytes].inspect';
const PROBE_ARGS = ['--disable=gems', '-e', PROBE];
const PROBE_TIMEOUT_MS = 10_000;

type Answer = [version: [major: number, minor: number], executable: number[]];

/**
 * Finds Ruby (option, or `ruby` on the PATH), runs it once, and returns the absolute path it gives for itself, so that workers do not
 * pay for the scripts of version managers.
 *
 * @throws SnakepitError INTERPRETER_NOT_FOUND when there is none, it does not run, or it is older than 3.0.
 */
export async function findRuby(interpreter: string | undefined, searchPath: string): Promise<string> {
  const program = interpreter ?? 'ruby';
  const found = findExecutable(program, searchPath);
  if (found === undefined) throw notFound(program, undefined);
  const [[major, minor], executable] = await ask(found);
  const [neededMajor, neededMinor] = MINIMUM_RUBY;
  if (major < neededMajor || (major === neededMajor && minor < neededMinor)) {
    throw notFound(found, `it is Ruby ${major}.${minor}, and ${neededMajor}.${neededMinor} or newer is needed`);
  }
  return Buffer.from(executable).toString('utf8') || found;
}

async function ask(program: string): Promise<Answer> {
  try {
    const { stdout } = await promisify(execFile)(program, PROBE_ARGS, { timeout: PROBE_TIMEOUT_MS });
    const said: unknown = JSON.parse(stdout);
    if (!isAnswer(said)) throw new Error(`it answered ${stdout.trim()}`);
    return said;
  } catch (error) {
    throw notFound(program, `it does not run: ${toError(error).message.trim()}`);
  }
}

function isAnswer(said: unknown): said is Answer {
  if (!Array.isArray(said)) return false;
  const [version, executable] = said as unknown[];
  return isIntegers(version) && version.length === 2 && isIntegers(executable);
}

function isIntegers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(Number.isInteger);
}

function notFound(tried: string, reason: string | undefined): SnakepitError {
  return new SnakepitError('INTERPRETER_NOT_FOUND', { language: 'Ruby', tried, reason });
}
