import { execFile } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

import { SnakepitError, toError } from '../core/index.js';
import { findExecutable } from './executable.js';

export const MINIMUM_PYTHON = [3, 9] as const;

/** What it prints is JSON of numbers alone, in any version and whatever the encoding; importing `json` or `site` would double its time. */
const PROBE = 'import sys; print([list(sys.version_info[:2]), [ord(each) for each in sys.executable or ""]])';
const PROBE_ARGS = ['-S', '-c', PROBE];
const PROBE_TIMEOUT_MS = 10_000;

type Answer = [version: [major: number, minor: number], executable: number[]];

export interface InterpreterWish {
  /** Path or name of the interpreter; wins over all else. */
  readonly interpreter: string | undefined;
  /** Folder of a virtual environment. */
  readonly venv: string | undefined;
  readonly searchPath: string;
}

/**
 * Finds the interpreter (option, virtual environment, `python3` or `python` on the PATH), runs it once, and returns the
 * absolute path it gives for itself, so that workers do not pay for launcher scripts.
 *
 * @throws SnakepitError INTERPRETER_NOT_FOUND when there is none, it does not run, or it is older than 3.9.
 */
export async function findPython(wish: InterpreterWish): Promise<string> {
  const tried = candidates(wish);
  const found = tried.map((program) => findExecutable(program, wish.searchPath)).find((path) => path !== undefined);
  if (found === undefined) throw notFound(tried, whyMissing(wish));
  let answer: Answer;
  try {
    const { stdout } = await promisify(execFile)(found, PROBE_ARGS, { timeout: PROBE_TIMEOUT_MS });
    const said: unknown = JSON.parse(stdout);
    if (!isAnswer(said)) throw new Error(`it answered ${stdout.trim()}`);
    answer = said;
  } catch (error) {
    throw notFound([found], `it does not run: ${toError(error).message.trim()}`);
  }
  const [[major, minor], codePoints] = answer;
  const [neededMajor, neededMinor] = MINIMUM_PYTHON;
  if (major < neededMajor || (major === neededMajor && minor < neededMinor)) {
    throw notFound([found], `it is Python ${major}.${minor}, and ${neededMajor}.${neededMinor} or newer is needed`);
  }
  return String.fromCodePoint(...codePoints) || found;
}

function isAnswer(said: unknown): said is Answer {
  if (!Array.isArray(said)) return false;
  const [version, executable] = said as unknown[];
  return isIntegers(version) && version.length >= 2 && isIntegers(executable);
}

function isIntegers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(Number.isInteger);
}

function candidates({ interpreter, venv }: InterpreterWish): string[] {
  if (interpreter !== undefined) return [interpreter];
  if (venv !== undefined) return [join(venv, 'bin', 'python'), join(venv, 'bin', 'python3')];
  return ['python3', 'python'];
}

/** What is there instead. */
function whyMissing({ interpreter, venv, searchPath }: InterpreterWish): string | undefined {
  if (interpreter === undefined && venv !== undefined) return whyNoVenv(venv);
  const there = pythonsOn(searchPath);
  return there.length === 0 ? 'there is no Python on the PATH' : `on the PATH there are ${there.join(', ')}`;
}

function whyNoVenv(venv: string): string {
  const link = join(venv, 'bin', 'python');
  const fact = lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()
    ? `the Python that it was made from, ${readlinkSync(link)}, is gone`
    : existsSync(venv)
      ? `${venv} is no virtual environment`
      : `${venv} does not exist`;
  return `${fact}; make it anew with 'python3 -m venv', or let the option 'requirements' make one`;
}

function pythonsOn(searchPath: string): string[] {
  const names = searchPath.split(delimiter).flatMap((folder) => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  });
  return [...new Set(names.filter((name) => /^(python|pypy)(\d+(\.\d+)?t?)?$/.test(name)))].toSorted();
}

function notFound(tried: readonly string[], reason: string | undefined): SnakepitError {
  return new SnakepitError('INTERPRETER_NOT_FOUND', { language: 'Python', tried: tried.join(', '), reason });
}
