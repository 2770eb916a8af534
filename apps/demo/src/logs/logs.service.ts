import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { InjectPool, PoolService } from 'nestjs-snakepit';
import { fromEvent, takeUntil, type Observable } from 'rxjs';

import { LOGS_POOL } from '../pools.js';

export interface TailOptions {
  /** Whether the lines that are there already are sent. */
  readonly fromStart: boolean;
  /** Whether to wait for further lines. */
  readonly follow: boolean;
}

/** Followers of log files: they have no end of their own, so the application's end is theirs. */
@Injectable()
export class LogsService implements OnModuleDestroy {
  readonly #closing = new AbortController();

  constructor(@InjectPool(LOGS_POOL) private readonly pool: PoolService) {}

  onModuleDestroy(): void {
    this.#closing.abort();
  }

  /** No faster than the items are taken. */
  async *tail(path: string, options: TailOptions, leaving: AbortSignal): AsyncGenerator<unknown> {
    const signal = AbortSignal.any([leaving, this.#closing.signal]);
    try {
      yield* this.pool.iterate('tail_and_analyze', argsOf(path, options), { signal, timeoutMs: Infinity });
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
    }
  }
  /** As fast as they come; unsubscribing stops the worker. */
  events(path: string, options: TailOptions): Observable<unknown> {
    return this.pool
      .stream('tail_and_analyze', argsOf(path, options), { timeoutMs: Infinity })
      .pipe(takeUntil(fromEvent(this.#closing.signal, 'abort')));
  }
}

function argsOf(path: string, { fromStart, follow }: TailOptions) {
  return { path, from_start: fromStart, follow };
}
