import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { InjectPool, PoolService } from 'nestjs-snakepit';

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

  async *tail(path: string, { fromStart, follow }: TailOptions, leaving: AbortSignal): AsyncGenerator<unknown> {
    const signal = AbortSignal.any([leaving, this.#closing.signal]);
    const args = { path, from_start: fromStart, follow };
    try {
      yield* this.pool.iterate('tail_and_analyze', args, { signal, timeoutMs: Infinity });
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
    }
  }
}
