import {
  createSnakepit,
  type LogRecord,
  type PoolOptions,
  type PoolService,
  type Snakepit,
} from 'nestjs-snakepit/core';

import { waitUntil } from './wait-until.js';

/** A pool of one worker, and everything that it has logged. */
export class ChattyPool {
  readonly logs: LogRecord[] = [];
  #snakepit: Snakepit | undefined;

  async open(options: PoolOptions): Promise<PoolService> {
    this.#snakepit = await createSnakepit(
      { pools: { work: { size: 1, ...options } } },
      { log: (record) => this.logs.push(record) },
    );
    return this.#snakepit.pool('work');
  }

  /** The first record whose message has this text; it may be on its way yet. */
  record(text: string): Promise<LogRecord> {
    return waitUntil(`'${text}' in the log`, () => this.logs.find(({ message }) => message.includes(text)));
  }

  async close(): Promise<void> {
    await this.#snakepit?.close();
    this.#snakepit = undefined;
    this.logs.length = 0;
  }
}
