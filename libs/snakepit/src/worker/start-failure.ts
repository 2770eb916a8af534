import { delimiter } from 'node:path';

import { SnakepitError } from '../core/index.js';
import { describeExit, type ExitCause } from './exit-cause.js';
import type { LaunchSpec, WorkerSpec } from './launch-spec.js';
import type { WorkerProcess } from './process.js';

export interface StartFailure {
  readonly worker: string;
  readonly pool: string;
  readonly executable: string;
  readonly args: readonly string[];
  readonly searchPaths: LaunchSpec['searchPaths'];
  readonly cause: ExitCause;
  /** What is known beyond how it ended. */
  readonly reason: string | undefined;
  /** Undefined: what can be told from how it ended. */
  readonly remedy?: string | undefined;
  /** What the language makes of the process's words. */
  readonly remedyFor?: LaunchSpec['remedyFor'];
  readonly traceback: string;
  readonly stderr: string;
}

/** What a host knows of why a worker cannot become ready, before its process is gone. */
export interface StartProblem {
  readonly reason: string;
  readonly traceback?: string;
  readonly remedy?: string | undefined;
}

export interface StartContext {
  readonly worker: string;
  readonly pool: string;
  readonly spec: WorkerSpec;
  readonly process: Pick<WorkerProcess, 'args' | 'stderrTail'>;
}

/** Why a worker did not start, whatever it was to be; `problem` is undefined where nothing but its end tells. */
export function startErrorOf(
  context: StartContext,
  problem: StartProblem | undefined,
  cause: ExitCause,
): SnakepitError {
  const { worker, pool, spec, process } = context;
  const { reason, traceback = '', remedy } = problem ?? {};
  const common = { worker, pool, reason, remedy };
  if ('addresses' in spec) return unreachable(common);
  if ('launch' in spec) return startedInVain({ ...common, language: spec.language, cause, traceback });
  const { executable, searchPaths } = spec;
  const { stderrTail: stderr, args = spec.args } = process;
  return startFailed({ ...common, remedyFor: spec.remedyFor, executable, args, searchPaths, cause, traceback, stderr });
}

/** Why a process did not start, with all that a person needs to mend it. */
export function startFailed(failure: StartFailure): SnakepitError {
  const { worker, pool, executable, cause, reason, traceback } = failure;
  const stderr = [failure.stderr, traceback].filter((text) => text !== '').join('\n');
  const remedy = failure.remedy ?? failure.remedyFor?.(`${reason ?? ''}\n${stderr}`);
  return new SnakepitError('WORKER_START_FAILED', {
    worker,
    pool,
    reason,
    commandLine: commandLine(failure),
    exit: describeExit(cause),
    stderr: stderr === '' ? undefined : indent(stderr),
    remedy: remedy ?? remedyFor(cause, executable),
  });
}

/** Why there is no connection to a worker that somebody else has started. */
export function unreachable(failure: Pick<StartFailure, 'worker' | 'pool' | 'reason' | 'remedy'>): SnakepitError {
  return new SnakepitError('WORKER_UNREACHABLE', { ...failure });
}

/** Why a worker that has no process of its own is not there. */
export function startedInVain(
  failure: Omit<StartFailure, 'executable' | 'args' | 'searchPaths' | 'stderr' | 'remedyFor'> & {
    readonly language: string;
  },
): SnakepitError {
  const { worker, pool, reason, cause, traceback, language } = failure;
  return new SnakepitError('WORKER_START_FAILED', {
    worker,
    pool,
    reason,
    commandLine: `none: ${language} workers live in the host's process`,
    exit: describeExit(cause),
    stderr: traceback === '' ? undefined : indent(traceback),
    remedy: failure.remedy ?? 'Mend what the reason says.',
  });
}

function indent(text: string): string {
  return `\n    ${text.split('\n').join('\n    ')}`;
}

function remedyFor(cause: ExitCause, executable: string): string {
  if (cause.kind === 'not-spawned') {
    return `Check that ${executable} exists and may be executed, and that 'cwd' is a folder.`;
  }
  return 'Mend what stderr says; the command line above, run in a shell, shows it too.';
}

/** As it can be run in a shell: with the folders that the worker is told to import from. */
function commandLine({ executable, args, searchPaths = {} }: StartFailure): string {
  const variables = Object.entries(searchPaths).map(([name, folders]) => `${name}=${folders.join(delimiter)}`);
  return [...variables, executable, ...args].join(' ');
}
