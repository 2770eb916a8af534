import {
  HttpException,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { SSE_METADATA } from '@nestjs/common/constants.js';
import { ModulesContainer } from '@nestjs/core';
import { catchError, type Observable } from 'rxjs';

import { isSnakepitError } from '../../core/index.js';
import { answerTo } from './error-answer.js';
import { rawResponse } from './raw-response.js';

/**
 * Gives the failure of an `@Sse()` stream that has begun, which no filter sees, the message that it would have had as an answer: of an HttpException
 * Nest sends the message as an event, of others nothing.
 */
@Injectable()
export class SseFailureInterceptor implements NestInterceptor {
  constructor(private readonly modules: ModulesContainer) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const handled = next.handle();
    if (context.getType() !== 'http' || !Reflect.hasMetadata(SSE_METADATA, context.getHandler())) return handled;
    const response = rawResponse(context);
    return handled.pipe(
      catchError((error: unknown) => {
        if (!response.headersSent || !isSnakepitError(error)) throw error;
        const body = answerTo(error, this.modules);
        throw new HttpException(body, body.statusCode, { cause: error });
      }),
    );
  }
}
