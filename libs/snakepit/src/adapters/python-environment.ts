import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { SnakepitError, type LogLevel, type LogSink } from '../core/index.js';
import { locateBridge } from './bridge-location.js';

export const ENVIRONMENT_MANAGERS = ['auto', 'uv', 'pip'] as const;

/** What a virtual environment is to hold. */
export interface EnvironmentWish {
  /** Lines as of a requirements file. */
  readonly requirements?: readonly string[];
  readonly requirementsFile?: string;
  /** A pyproject.toml, of which the dependencies are meant. */
  readonly pyproject?: string;
  /** Those of the Python SDK. */
  readonly extras: readonly string[];
  readonly manager: (typeof ENVIRONMENT_MANAGERS)[number];
  /** The folder in which environments are kept. */
  readonly root: string;
}

interface Told {
  readonly log?: readonly [LogLevel, string];
  readonly python?: string;
  readonly error?: string;
}

/** Where environments are kept when nothing else is said: https://specifications.freedesktop.org/basedir-spec/latest/ */
export function defaultEnvironmentRoot(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'nestjs-snakepit', 'python');
}

/**
 * Lets Python make the environment, or find it again by a hash of what it holds. Returns the path of its interpreter.
 * What steers pip and uv (their variables, proxies) comes from the host's own environment.
 *
 * @throws SnakepitError ENVIRONMENT_FAILED with the last lines of the program that failed
 */
export async function provideEnvironment(python: string, wish: EnvironmentWish, log: LogSink): Promise<string> {
  const child = spawn(python, ['-m', 'snakepit_bridge.environment'], {
    env: { ...process.env, PYTHONPATH: locateBridge('python') },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exit = once(child, 'close');
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  // One that does not read its wish tells why on stderr.
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(wish));
  let outcome: Told = {};
  for await (const line of createInterface({ input: child.stdout })) {
    const told = JSON.parse(line) as Told;
    if (told.log === undefined) outcome = told;
    else log({ level: told.log[0], message: told.log[1], logger: 'python environment' });
  }
  await exit;
  if (outcome.python !== undefined) return outcome.python;
  throw new SnakepitError('ENVIRONMENT_FAILED', { reason: outcome.error ?? (stderr.trim() || 'it gave no reason') });
}
