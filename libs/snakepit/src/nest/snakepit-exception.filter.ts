import { Catch, Injectable, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { throwError, type Observable } from 'rxjs';

import { SnakepitError } from '../runtime/index.js';
import { answerTo } from './http/error-answer.js';
import { retryAfterSeconds } from './http/retry-after.js';

/**
 * Answers a request whose call failed with the status of the error's code, or the one that `httpStatuses` of the module whose pool it was gives the
 * worker's exception, a JSON body of {@link SnakepitErrorBody}, and `Retry-After` where trying again may help. From 500 on the client is told
 * the error's code and `id` alone, and the log everything by that `id`. The worker's traceback never goes to the client.
 *
 * The module applies it to all controllers; with `httpErrors: false` use it where you like, by `@UseFilters` or as APP_FILTER.
 */
@Injectable()
@Catch(SnakepitError)
export class SnakepitExceptionFilter implements ExceptionFilter<SnakepitError> {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly modules: ModulesContainer,
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
    const body = answerTo(error, this.modules);
    if (httpAdapter.isHeadersSent(response)) return void httpAdapter.end(response);
    if (body.statusCode === 503 && body.retryable) {
      httpAdapter.setHeader(response, 'Retry-After', String(retryAfterSeconds(error)));
    }
    httpAdapter.reply(response, body, body.statusCode);
  }
}
