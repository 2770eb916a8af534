import type { Observable, Subscriber } from 'rxjs';

import { STREAM_CREDIT } from '../channel/index.js';
import type { SnakepitError } from '../core/index.js';
import type { CallListener, CallOptions, Pool, StreamHandle } from '../pool/index.js';
import { PullableStream } from './pullable-stream.js';

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

  /** Where the pool leaves the credit to the channel, that is never less. */
  constructor(streamCredit = STREAM_CREDIT) {
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
  return new PullableStream<Item>(
    (subscriber) => push(request, subscriber),
    () => iterate(request),
  );
}

function push<Item>({ pool, command, args, options }: StreamRequest, subscriber: Subscriber<Item>): () => void {
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
}

/**
 * The same as an async iterable that pulls: the worker is suspended while nobody asks for the next item, so at most
 * `streamCredit` items wait on the host. Leaving the loop stops the command in the worker, at once.
 */
export function iterate<Item>(request: StreamRequest): ItemIterator<Item> {
  return new PulledStream<Item>(request);
}

/** What `iterate` returns: `next` for one item, `return` to stop. */
export interface ItemIterator<Item> extends AsyncIterableIterator<Item> {
  next(): Promise<IteratorResult<Item, undefined>>;
  return(): Promise<IteratorResult<Item, undefined>>;
}

interface Waiter<Item> {
  readonly resolve: (result: IteratorResult<Item, undefined>) => void;
  readonly reject: (error: SnakepitError) => void;
}

/** Starts the command with the first `next()`; holds what arrived until it is asked for. */
class PulledStream<Item> implements ItemIterator<Item>, CallListener {
  readonly #request: StreamRequest;
  readonly #meter: CreditMeter;
  readonly #waiters: Waiter<Item>[] = [];
  #items: Item[] = [];
  /** How many of `#items` are taken. */
  #taken = 0;
  /** Items given to the consumer, which is done with each when it asks for another. */
  #handedOut = 0;
  #handle: StreamHandle | undefined;
  #hasStarted = false;
  #ending: { error: SnakepitError | undefined } | undefined;

  constructor(request: StreamRequest) {
    this.#request = request;
    this.#meter = new CreditMeter(request.pool.options.streamCredit);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    if (!this.#hasStarted) this.#start();
    if (this.#handedOut > 0) {
      this.#handedOut -= 1;
      this.#meter.onConsumed(this.#handle);
    }
    if (this.#taken < this.#items.length) return Promise.resolve({ value: this.#take(), done: false });
    if (this.#ending === undefined) return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
    const { error } = this.#ending;
    if (error === undefined) return Promise.resolve({ value: undefined, done: true });
    this.#ending = { error: undefined };
    return Promise.reject(error);
  }

  return(): Promise<IteratorResult<Item, undefined>> {
    this.#hasStarted = true;
    this.#items = [];
    this.#taken = 0;
    this.#end({ error: undefined });
    this.#handle?.cancel();
    return Promise.resolve({ value: undefined, done: true });
  }

  onChunk(value: unknown): void {
    if (this.#ending !== undefined) return;
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      this.#items.push(value as Item);
      return;
    }
    this.#handedOut += 1;
    waiter.resolve({ value: value as Item, done: false });
  }

  onValue(value: unknown): void {
    this.onChunk(value);
    this.onEnd();
  }

  onEnd(): void {
    this.#end({ error: undefined });
  }

  onError(error: SnakepitError): void {
    this.#end({ error });
  }

  #start(): void {
    const { pool, command, args, options } = this.#request;
    this.#hasStarted = true;
    this.#handle = pool.stream(command, args, options, this);
  }

  #take(): Item {
    const item = this.#items[this.#taken] as Item;
    this.#taken += 1;
    if (this.#taken === this.#items.length) {
      this.#items = [];
      this.#taken = 0;
    }
    this.#handedOut += 1;
    return item;
  }

  /** The first ending stands. Those who wait already get it: the error one of them, the end all others. */
  #end(ending: { error: SnakepitError | undefined }): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    for (const waiter of this.#waiters.splice(0)) {
      const { error } = this.#ending;
      this.#ending = { error: undefined };
      if (error === undefined) waiter.resolve({ value: undefined, done: true });
      else waiter.reject(error);
    }
  }
}
