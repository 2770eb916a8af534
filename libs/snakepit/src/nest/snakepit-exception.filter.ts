import { Catch, Inject, Injectable, Logger, Optional, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { throwError, type Observable } from 'rxjs';

import { SnakepitError } from '../runtime/index.js';
import { declaredStatus, type HttpStatuses } from './http/http-statuses.js';
import { retryAfterSeconds } from './http/retry-after.js';
import { SNAKEPIT_HTTP_STATUSES } from './tokens.js';

const NONE: HttpStatuses = Object.freeze({});

/** What an HTTP client is told of a failed call. */
export interface SnakepitErrorBody {
  readonly statusCode: number;
  readonly code: string;
  readonly message: string;
  readonly delivery: string;
  readonly retryable: boolean;
  /** The path of what is wrong with the arguments, such as `args.items[3]`, where that is known. */
  readonly field?: string;
  readonly remote?: { readonly type: string; readonly message: string };
}

/**
 * Answers a request whose call failed with the status of the error's code, or the one that the module's `httpStatuses` gives the worker's
 * exception, a JSON body of {@link SnakepitErrorBody}, and `Retry-After` where trying again may help. The worker's traceback goes to the log and
 * never to the client.
 *
 * The module applies it to all controllers; with `httpErrors: false` use it where you like, by `@UseFilters` or as APP_FILTER.
 */
@Injectable()
@Catch(SnakepitError)
export class SnakepitExceptionFilter implements ExceptionFilter<SnakepitError> {
  readonly #logger = new Logger('Snakepit');

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @Optional() @Inject(SNAKEPIT_HTTP_STATUSES) private readonly statuses: HttpStatuses = NONE,
  ) {}

  catch(error: SnakepitError, host: ArgumentsHost): Observable<never> | undefined {
    switch (host.getType<string>()) {
      case 'http':
        this.#reply(error, host.switchToHttp().getResponse());
        return undefined;
      case 'rpc':
        // Microservices take a failure as an Observable; a throw here would not reach the caller.
        return throwError(() => error);
      default:
        throw error;
    }
  }

  #reply(error: SnakepitError, response: unknown): void {
    const { httpAdapter } = this.adapterHost;
    const body = toErrorBody(error, this.statuses);
    if (body.statusCode >= 500 && !body.retryable)
      this.#logger.error(error.message, error.remote?.traceback || error.stack);
    if (httpAdapter.isHeadersSent(response)) return void httpAdapter.end(response);
    if (body.statusCode === 503 && body.retryable) {
      httpAdapter.setHeader(response, 'Retry-After', String(retryAfterSeconds(error)));
    }
    httpAdapter.reply(response, body, body.statusCode);
  }
}

/**
 * The error as an HTTP client may see it.
 *
 * @param statuses those of workers' exceptions, as in the module's `httpStatuses`; default none
 */
export function toErrorBody(error: SnakepitError, statuses: HttpStatuses = NONE): SnakepitErrorBody {
  const { code, delivery, retryable, remote, details } = error;
  const statusCode = declaredStatus(error, statuses) ?? error.httpStatus;
  const field = code === 'INVALID_ARGUMENTS' ? details['path'] : undefined;
  return {
    statusCode,
    code,
    message: publicMessage(error, statusCode),
    delivery,
    retryable,
    ...(typeof field === 'string' && { field }),
    ...(remote && { remote: { type: remote.type, message: remote.message } }),
  };
}

/** Messages for operators go on for lines: command line, last lines of stderr; clients get the first. */
function publicMessage({ code, message, remote }: SnakepitError, statusCode: number): string {
  // Declared to be the client's fault: what the command says of it is meant for the client.
  if (code === 'REMOTE_ERROR' && remote !== undefined && statusCode < 500) return remote.message;
  if (remote !== undefined) return message;
  return message.split('\n', 1)[0] ?? message;
}
