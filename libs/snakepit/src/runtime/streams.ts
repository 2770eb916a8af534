import { Observable } from 'rxjs';

import type { SnakepitError } from '../core/index.js';
import type { CallListener, CallOptions, Pool, StreamHandle } from '../pool/index.js';

/** One stream to be started: on which pool, and with what. */
export interface StreamRequest {
  readonly pool: Pool;
  readonly command: string;
  readonly args: unknown;
  readonly options: CallOptions;
}

/** Tells the worker in batches how much was consumed: a grant for every item would cost a frame each. */
class CreditMeter {
  #consumed = 0;
  readonly #batch: number;

  constructor(streamCredit: number) {
    this.#batch = Math.max(1, Math.floor(streamCredit / 2));
  }

  onConsumed(handle: StreamHandle | undefined): void {
    this.#consumed += 1;
    if (this.#consumed < this.#batch) return;
    handle?.grant(this.#consumed);
    this.#consumed = 0;
  }
}

/** A cold Observable: every subscription starts the command, unsubscribing stops it in the worker. */
export function observe<Item>(request: StreamRequest): Observable<Item> {
  const { pool, command, args, options } = request;
  return new Observable<Item>((subscriber) => {
    const meter = new CreditMeter(pool.options.streamCredit);
    let handle: StreamHandle | undefined = undefined;
    handle = pool.stream(command, args, options, {
      onValue: (value) => {
        subscriber.next(value as Item);
        subscriber.complete();
      },
      onChunk: (value) => {
        subscriber.next(value as Item);
        meter.onConsumed(handle);
      },
      onEnd: () => subscriber.complete(),
      onError: (error) => subscriber.error(error),
    });
    return () => handle?.cancel();
  });
}

/**
 * The same as an async iterable that pulls: the worker is suspended while nobody asks for the next item, so at most
 * `streamCredit` items wait on the host. Leaving the loop stops the command in the worker.
 */
export async function* iterate<Item>(request: StreamRequest): AsyncGenerator<Item, void, undefined> {
  const { pool, command, args, options } = request;
  const meter = new CreditMeter(pool.options.streamCredit);
  const inbox = new Inbox();
  const handle = pool.stream(command, args, options, inbox);
  try {
    for (;;) {
      if (inbox.items.length === 0) {
        if (inbox.ending === undefined) await inbox.changed();
        else if (inbox.ending.error !== undefined) throw inbox.ending.error;
        else return;
        continue;
      }
      const batch = inbox.take();
      for (const item of batch) {
        yield item as Item;
        meter.onConsumed(handle);
      }
    }
  } finally {
    handle.cancel();
  }
}

/** Holds what arrived until it is asked for. */
class Inbox implements CallListener {
  items: unknown[] = [];
  ending: { readonly error: SnakepitError | undefined } | undefined;
  #wake: (() => void) | undefined;

  take(): unknown[] {
    const { items } = this;
    this.items = [];
    return items;
  }

  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  onChunk(value: unknown): void {
    this.items.push(value);
    this.#wake?.();
  }

  onValue(value: unknown): void {
    this.items.push(value);
    this.#end(undefined);
  }

  onEnd(): void {
    this.#end(undefined);
  }

  onError(error: SnakepitError): void {
    this.#end(error);
  }

  #end(error: SnakepitError | undefined): void {
    this.ending = { error };
    this.#wake?.();
  }
}
