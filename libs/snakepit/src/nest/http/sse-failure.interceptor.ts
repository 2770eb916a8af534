import {
  HttpException,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { SSE_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer } from '@nestjs/core';
import { catchError, tap, type Observable } from 'rxjs';

import { isSnakepitError, type SnakepitError } from '../../core/index.js';
import { answerTo } from './error-answer.js';
import type { SnakepitErrorBody } from './error-body.js';
import { answerFailuresBy } from './event-stream.js';
import { rawResponse } from './raw-response.js';

/**
 * Gives the failure of server-sent events that have begun, which no filter sees, the message that it would have had as an answer. Of what an `@Sse()`
 * stream fails by, Nest sends the message as an event where it is an HttpException, and else nothing.
 */
@Injectable()
export class SseFailureInterceptor implements NestInterceptor {
  constructor(private readonly modules: ModulesContainer) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const handled = next.handle();
    if (context.getType() !== 'http') return handled;
    if (!Reflect.hasMetadata(SSE_METADATA, context.getHandler())) {
      return handled.pipe(tap((result) => answerFailuresBy(this.#answerTo, result)));
    }
    const response = rawResponse(context);
    return handled.pipe(
      catchError((error: unknown) => {
        if (!response.headersSent || !isSnakepitError(error)) throw error;
        const body = this.#answerTo(error);
        throw new HttpException(body, body.statusCode, { cause: error });
      }),
    );
  }

  readonly #answerTo = (error: SnakepitError): SnakepitErrorBody => answerTo(error, this.modules);
}
