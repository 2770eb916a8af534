import { constants } from 'node:os';

import type { ErrorCode } from '../core/index.js';

interface Status {
  readonly status: number;
  readonly means: string;
}

/** What the exit statuses of `snakepit` mean; 124 is that of timeout(1), and beyond 128 stands the number of a signal. */
export const EXIT_STATUSES = {
  done: { status: 0, means: 'all went well' },
  failed: { status: 1, means: 'the command failed, or `doctor` found a problem' },
  usage: { status: 2, means: 'what was typed cannot be right' },
  refused: { status: 3, means: 'the worker has no such command, or does not take these arguments' },
  notStarted: { status: 4, means: 'the worker did not start' },
  workerGone: { status: 5, means: 'the worker died, hung or broke the protocol' },
  unavailable: { status: 6, means: 'the pool or the session does not take the call' },
  timeout: { status: 124, means: 'time ran out' },
} as const satisfies Record<string, Status>;

type Outcome = Exclude<keyof typeof EXIT_STATUSES, 'done'>;

/** What each error of the library is to a shell. */
export const OUTCOME_OF_ERROR = {
  INVALID_OPTIONS: 'usage',
  MISUSE: 'usage',
  POOL_NOT_FOUND: 'usage',
  UNSUPPORTED: 'usage',
  UNKNOWN_COMMAND: 'refused',
  INVALID_ARGUMENTS: 'refused',
  FRAME_TOO_LARGE: 'refused',
  INTERPRETER_NOT_FOUND: 'notStarted',
  ENVIRONMENT_FAILED: 'notStarted',
  BUILD_FAILED: 'notStarted',
  WORKER_START_FAILED: 'notStarted',
  WORKER_UNREACHABLE: 'notStarted',
  REMOTE_ERROR: 'failed',
  INVALID_RESULT: 'failed',
  INPUT_FAILED: 'failed',
  CANCELLED: 'failed',
  WORKER_EXITED: 'workerGone',
  WORKER_LOST: 'workerGone',
  PROTOCOL_ERROR: 'workerGone',
  COMMAND_TAINTED: 'unavailable',
  POOL_NOT_READY: 'unavailable',
  POOL_CLOSED: 'unavailable',
  POOL_SATURATED: 'unavailable',
  SESSION_NOT_FOUND: 'unavailable',
  SESSION_EXISTS: 'unavailable',
  SESSION_LIMIT: 'unavailable',
  SESSION_WORKER_UNAVAILABLE: 'unavailable',
  NESTED_TOO_DEEP: 'unavailable',
  NESTED_DEADLOCK: 'unavailable',
  CALL_TIMEOUT: 'timeout',
  QUEUE_TIMEOUT: 'timeout',
} as const satisfies Record<ErrorCode, Outcome>;

/** The signals after which a run is broken off. */
export type LeavingSignal = 'SIGINT' | 'SIGTERM' | 'SIGPIPE';

export function statusOfError(code: ErrorCode): number {
  return EXIT_STATUSES[OUTCOME_OF_ERROR[code]].status;
}

export function statusOfSignal(signal: LeavingSignal): number {
  return 128 + constants.signals[signal];
}
