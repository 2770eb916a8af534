import { STATUS_CODES } from 'node:http';

import type { SnakepitError } from '../../core/index.js';
import type { HttpAnswerOptions } from './answer-rules.js';

/** What an HTTP client is told of a failed call. */
export interface SnakepitErrorBody {
  readonly statusCode: number;
  readonly code: string;
  /** From 500 on the status's own text, unless the module's `httpErrors` expose what has happened. */
  readonly message: string;
  readonly delivery: string;
  readonly retryable: boolean;
  /** What the log has the failure by; where it is logged. */
  readonly id?: string;
  /** The path of what is wrong with the arguments, such as `args.items[3]`, where that is known. */
  readonly field?: string;
  /** The worker's exception; below 500, or where it may be exposed. */
  readonly remote?: { readonly type: string; readonly message: string };
}

/**
 * The error as an HTTP client may see it.
 *
 * @param options as the module's `httpStatuses` and `httpErrors`; default: no statuses, and nothing of what has happened from 500 on
 */
export function toErrorBody(error: SnakepitError, options: HttpAnswerOptions = {}): SnakepitErrorBody {
  const { code, delivery, retryable, remote, details } = error;
  const statusCode = declaredStatus(error, options) ?? error.httpStatus;
  const isTold = statusCode < 500 || options.exposeMessages === true;
  const field = code === 'INVALID_ARGUMENTS' ? details['path'] : undefined;
  return {
    statusCode,
    code,
    message: isTold ? publicMessage(error, statusCode) : (STATUS_CODES[statusCode] ?? 'Server Error'),
    delivery,
    retryable,
    ...(isFault(error, statusCode) && { id: error.id }),
    ...(typeof field === 'string' && { field }),
    ...(isTold && remote && { remote: { type: remote.type, message: remote.message } }),
  };
}

/** Whether somebody has to look at it, and the log must have it: what was not begun for lack of room will pass, and comes in floods. */
export function isFault({ retryable, delivery }: SnakepitError, statusCode: number): boolean {
  return statusCode >= 500 && !(retryable && delivery === 'not-started');
}

/** The status that is declared for what the command raised; undefined for other failures. */
function declaredStatus({ code, remote }: SnakepitError, { httpStatuses }: HttpAnswerOptions): number | undefined {
  if (code !== 'REMOTE_ERROR' || remote === undefined || httpStatuses === undefined) return undefined;
  return Object.hasOwn(httpStatuses, remote.type) ? httpStatuses[remote.type] : undefined;
}

/** Messages for operators go on for lines: command line, last lines of stderr; clients get the first. */
function publicMessage({ code, message, remote }: SnakepitError, statusCode: number): string {
  // Declared to be the client's fault: what the command says of it is meant for the client.
  if (code === 'REMOTE_ERROR' && remote !== undefined && statusCode < 500) return remote.message;
  if (remote !== undefined) return message;
  return message.split('\n', 1)[0] ?? message;
}
