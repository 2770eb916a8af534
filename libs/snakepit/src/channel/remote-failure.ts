/// <reference lib="es2024.string" />
import { BinaryTooLarge, EncodeError, type ErrorBody } from '../codec/index.js';
import { isPlainObject, SnakepitError, toError, type Delivery, type ErrorCode } from '../core/index.js';

/** Names the worker and pool in the errors of one channel. */
export interface ChannelName {
  readonly pool: string;
  readonly worker: string;
}

/** What fits into any frame, `maxFrameBytes` being 1024 at least; a character takes up to three bytes. */
const MAX_CUT_TEXT = 200;

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

/** Why a host call fails, in the very words that the worker is to be told. */
export class HostCallFailure extends Error {
  override readonly name = 'HostCallFailure';

  constructor(readonly body: ErrorBody) {
    super(body.message);
  }
}

/** The error body that answers a worker's host call which failed. */
export function toErrorBody(thrown: unknown): ErrorBody {
  if (thrown instanceof HostCallFailure) return thrown.body;
  if (thrown instanceof EncodeError)
    return { code: 'INVALID_RESULT', message: `the host's answer cannot be sent: ${thrown.message}` };
  if (thrown instanceof BinaryTooLarge) return answerTooLarge(thrown.bytes, thrown.maxBytes);
  if (thrown instanceof SnakepitError) return { code: thrown.code, type: 'SnakepitError', message: thrown.message };
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { code: 'REMOTE_ERROR', type: error.name, message: error.message };
}

function answerTooLarge(bytes: number, maxFrameBytes: number): ErrorBody {
  const message = `the host's answer of ${bytes} bytes exceeds maxFrameBytes (${maxFrameBytes}); ask for less at once`;
  return { code: 'FRAME_TOO_LARGE', message };
}

/** The same where its data, or its message, cannot be sent. */
export function withoutData({ code, type, message }: ErrorBody, unsendable: unknown): Omit<ErrorBody, 'data'> {
  const reason = toError(unsendable).message.slice(0, MAX_CUT_TEXT);
  const told = `${message.slice(0, MAX_CUT_TEXT)} (the host's error cannot be sent as it is: ${reason})`.toWellFormed();
  return { code, message: told, ...(type !== undefined && { type: type.slice(0, MAX_CUT_TEXT).toWellFormed() }) };
}
