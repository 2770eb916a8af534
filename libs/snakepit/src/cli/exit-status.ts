import { constants } from 'node:os';

import type { ErrorCode } from '../core/index.js';

/** What the exit statuses of `snakepit` mean; 124 is that of timeout(1), and beyond 128 stands the number of a signal. */
export const EXIT_STATUS = {
  done: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  notStarted: 4,
  workerGone: 5,
  unavailable: 6,
  timeout: 124,
} as const;

type Outcome = Exclude<keyof typeof EXIT_STATUS, 'done'>;

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
  return EXIT_STATUS[OUTCOME_OF_ERROR[code]];
}

export function statusOfSignal(signal: LeavingSignal): number {
  return 128 + constants.signals[signal];
}
