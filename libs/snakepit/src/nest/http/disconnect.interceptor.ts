import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { finalize, type Observable } from 'rxjs';

import { closeSignalScope, openSignalScope, runWithSignal, type AmbientSignal } from '../../runtime/index.js';
import { rawResponse } from './raw-response.js';

/**
 * Cancels what a request's handler has asked of pools when its client leaves before the response is complete: the calls fail with CANCELLED, and
 * their workers stop. Calls that are given a `signal`, or null for one, are left alone.
 *
 * The module applies it to all HTTP routes, on Express and Fastify; with `cancelOnDisconnect: false` use it where you like, by
 * `@UseInterceptors` or as APP_INTERCEPTOR.
 */
@Injectable()
export class SnakepitDisconnectInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const response = rawResponse(context);
    const client = new Client();
    openSignalScope();
    // Nest binds what handle() runs to the context in which it is called.
    const handled = runWithSignal(client, () => next.handle());
    if (response.closed) {
      client.leave();
      return handled.pipe(finalize(closeSignalScope));
    }
    response.once('close', () => {
      closeSignalScope();
      // Nest leaves the streams that it sends by itself: that must come first, since nobody is to be told of their end.
      if (!response.writableFinished) setImmediate(() => client.leave());
    });
    return handled;
  }
}

/** Whoever waits for the response. The signal is made by the first call that wants it: most requests are over before they need one. */
class Client implements AmbientSignal {
  #controller: AbortController | undefined;
  #hasLeft = false;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#hasLeft) this.#abort();
    return this.#controller.signal;
  }

  leave(): void {
    this.#hasLeft = true;
    this.#abort();
  }

  #abort(): void {
    this.#controller?.abort(new DOMException('The client of the request has left', 'AbortError'));
  }
}
