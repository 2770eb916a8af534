import { HttpException, Logger } from '@nestjs/common';
import { isSnakepitError, toErrorBody } from 'nestjs-snakepit';

import { HTTP_STATUSES } from './http-statuses.js';

const logger = new Logger('Stream');

/** What a client may know of a failure that came too late for a status of its own. */
export function problemOf(error: unknown): unknown {
  if (error instanceof HttpException) return error.getResponse();
  if (!isSnakepitError(error)) return { statusCode: 500, message: 'Internal server error' };
  const body = toErrorBody(error, { httpStatuses: HTTP_STATUSES });
  if (body.id !== undefined) logger.error(error.message, { id: body.id }, error.remote?.traceback || error.stack);
  return body;
}
