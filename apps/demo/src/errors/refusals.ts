import { NotFoundException, UnprocessableEntityException } from '@nestjs/common';
import { isSnakepitError } from 'nestjs-snakepit';

/** Exceptions by which the demo's commands, in Python and in Node, say that their input is wrong. */
const BAD_INPUT = new Set(['ValueError', 'TypeError', 'RangeError', 'ExpressionError']);
const NOT_FOUND = new Set(['FileNotFoundError']);

/** A command that refuses its input has not failed: the client is told what was wrong, with a status of 4xx. */
export function asRefusal(error: unknown): unknown {
  if (!isSnakepitError(error, 'REMOTE_ERROR') || error.remote === undefined) return error;
  const { type, message } = error.remote;
  if (NOT_FOUND.has(type)) return new NotFoundException(message, { cause: error });
  if (BAD_INPUT.has(type)) return new UnprocessableEntityException(message, { cause: error });
  return error;
}
