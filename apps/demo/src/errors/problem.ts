import { HttpException } from '@nestjs/common';
import { isSnakepitError, toErrorBody } from 'nestjs-snakepit';

import { asRefusal } from './refusals.js';

/** What a client may know of a failure that came too late for a status of its own. */
export function problemOf(thrown: unknown): unknown {
  const error = asRefusal(thrown);
  if (error instanceof HttpException) return error.getResponse();
  if (isSnakepitError(error)) return toErrorBody(error);
  return { statusCode: 500, message: 'Internal server error' };
}
