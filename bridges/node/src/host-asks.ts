import type { ErrorBody } from 'nestjs-snakepit/codec';

import { HostError } from './failures.js';

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** What commands asked their host and wait for. */
export class HostAsks {
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;

  /** Runs `send` with the number of the question; what it throws fails the question. */
  ask(send: (id: number) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      do this.#lastId = (this.#lastId % 0xffffffff) + 1;
      while (this.#asked.has(this.#lastId));
      const id = this.#lastId;
      send(id);
      this.#asked.set(id, { resolve, reject });
    });
  }

  /** An answer to what nobody asked is ignored. */
  resolve(id: number, value: unknown): void {
    this.#take(id)?.resolve(value);
  }

  reject(id: number, { code, message, type, data }: ErrorBody): void {
    this.#take(id)?.reject(new HostError(code, message, type, data));
  }

  /** No answer will come any more. */
  rejectAll(error: Error): void {
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const { reject } of asked) reject(error);
  }

  #take(id: number): Asked | undefined {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked;
  }
}
