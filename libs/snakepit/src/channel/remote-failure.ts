import type { ErrorBody } from '../codec/index.js';
import { isPlainObject, SnakepitError, type Delivery, type ErrorCode } from '../core/index.js';

/** Names the worker and pool in the errors of one channel. */
export interface ChannelName {
  readonly pool: string;
  readonly worker: string;
}

const WORKER_CODES = {
  REMOTE_ERROR: 'REMOTE_ERROR',
  INVALID_ARGUMENTS: 'INVALID_ARGUMENTS',
  UNKNOWN_COMMAND: 'UNKNOWN_COMMAND',
  INVALID_RESULT: 'INVALID_RESULT',
  FRAME_TOO_LARGE: 'FRAME_TOO_LARGE',
  CANCELLED: 'CANCELLED',
  CALL_TIMEOUT: 'CALL_TIMEOUT',
} as const satisfies Partial<Record<ErrorCode, ErrorCode>>;

function deliveryOf(body: ErrorBody): Delivery {
  switch (body.code) {
    case 'INVALID_ARGUMENTS':
    case 'UNKNOWN_COMMAND':
      return 'not-started';
    case 'CANCELLED':
    case 'CALL_TIMEOUT':
      return body.started === false ? 'not-started' : 'may-have-run';
    default:
      return 'ran';
  }
}

/** The error a caller sees for the error a worker sent; codes that a worker may not send count as REMOTE_ERROR. */
export function toCallerError(body: ErrorBody, command: string, name: ChannelName): SnakepitError {
  const code = Object.hasOwn(WORKER_CODES, body.code) ? (body.code as keyof typeof WORKER_CODES) : 'REMOTE_ERROR';
  const details = {
    command,
    pool: name.pool,
    worker: name.worker,
    reason: body.message,
    type: body.type,
    ...(code === 'INVALID_ARGUMENTS' && pathIn(body.data)),
    ...(code === 'FRAME_TOO_LARGE' && { what: `The result of '${command}' (${body.message})` }),
  };
  return new SnakepitError(code, details, {
    delivery: deliveryOf(body),
    remote: { type: body.type ?? 'Error', message: body.message, traceback: body.traceback ?? '', data: body.data },
  });
}

/** Where in the arguments the worker found what is wrong, if it says so. */
function pathIn(data: unknown): { readonly path?: string } {
  const path = isPlainObject(data) ? data['path'] : undefined;
  return typeof path === 'string' ? { path } : {};
}

/** The error body that answers a worker's host call which failed. */
export function toErrorBody(thrown: unknown): ErrorBody {
  if (thrown instanceof SnakepitError) return { code: thrown.code, type: 'SnakepitError', message: thrown.message };
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { code: 'REMOTE_ERROR', type: error.name, message: error.message };
}
