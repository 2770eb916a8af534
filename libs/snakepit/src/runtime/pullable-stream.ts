import { Observable, type Subscriber, type TeardownLogic } from 'rxjs';

/** A stream that can be had as an Observable and as an async iterable; each subscription and each iteration starts it anew. */
export class PullableStream<Item> extends Observable<Item> {
  constructor(
    subscribe: (subscriber: Subscriber<Item>) => TeardownLogic,
    readonly pull: () => AsyncIterator<Item, undefined>,
  ) {
    super(subscribe);
  }
}

/**
 * The items of a command's Observable as `pool.iterate` gives them: the worker is suspended while nobody asks for the next one, and leaving the
 * loop stops the command.
 *
 * @param stream what `pool.stream`, a method with `@SnakepitCommand({ stream: true })` or a client's member returned
 * @returns an iterable that starts the command whenever it is iterated over
 * @throws TypeError for any other Observable, also for what `pipe` made of such a one: nothing can slow that down
 */
export function pulled<Item>(stream: Observable<Item>): AsyncIterable<Item> {
  if (stream instanceof PullableStream) {
    const { pull } = stream as PullableStream<Item>;
    return { [Symbol.asyncIterator]: pull };
  }
  throw new TypeError(
    "Only the Observable of a command itself can be pulled: give what 'pool.stream' or the command's method returned, and change its items as they come, not by pipe().",
  );
}

/** Items whose source is there later. Leaving them does not wait for an item that is asked for. */
export class DeferredItems<Item> implements AsyncIterator<Item, undefined> {
  constructor(private readonly source: Promise<AsyncIterator<Item, undefined>>) {
    // Whoever asks for an item is told.
    source.catch(() => {});
  }

  async next(): Promise<IteratorResult<Item, undefined>> {
    const items = await this.source;
    return await items.next();
  }

  return(): Promise<IteratorResult<Item, undefined>> {
    this.source.then((items) => items.return?.()).catch(() => {});
    return Promise.resolve({ value: undefined, done: true });
  }
}
