import { finished, Readable } from 'node:stream';

/** What a call can be given as its input: chunks of bytes, or of text that is sent as UTF-8. */
export type InputSource = Readable | ReadableStream<Uint8Array | string> | AsyncIterable<Uint8Array | string>;

/** A source that is pulled chunk by chunk, whatever its kind. */
export interface OpenedSource {
  /** The next chunk, or undefined at the end. Rejects with what the source failed with. */
  next(): Promise<unknown>;
  /** Lets go of a source that is not read to its end, so that what it holds is free. */
  discard(): void;
}

/** Why something cannot be an input; undefined where it can. */
export function inputProblem(given: unknown): string | undefined {
  if (given instanceof Readable) {
    return given.readableEnded ? 'a stream that was read to its end before, as by a body parser' : undefined;
  }
  if (isWebStream(given)) return given.locked ? 'a ReadableStream that somebody else is reading' : undefined;
  return isIterable(given) ? undefined : 'neither a Readable, nor a ReadableStream, nor an AsyncIterable';
}

/** Opens a source; `onFailed` hears that a stream broke while nobody read it. */
export function openSource(source: InputSource, onFailed: (cause: unknown) => void): OpenedSource {
  if (source instanceof Readable) return new NodeSource(source, onFailed);
  return isWebStream(source) ? webSource(source, onFailed) : iterableSource(source);
}

/** Lets go of what was given as an input and never opened. */
export function discardUnopened(given: unknown): void {
  if (given instanceof Readable) return discardReadable(given);
  if (isWebStream(given)) return void given.cancel().catch(ignore);
  if (isIterable(given)) iterableSource(given).discard();
}

/**
 * A Node stream. Its own iterator would destroy it, which for a request takes away the connection on which the answer is to go;
 * and it listens for errors only once it is read, while a stream whose error nobody hears ends the process.
 */
class NodeSource implements OpenedSource {
  readonly #stream: Readable;
  #ending: { readonly error?: unknown } | undefined;
  /** Settles the `next` that waits. */
  #wake: (() => void) | undefined;
  #isListening = false;
  readonly #onReadable = (): void => this.#wake?.();

  constructor(stream: Readable, onFailed: (cause: unknown) => void) {
    this.#stream = stream;
    // Some streams tell of their failure after they were closed, too.
    stream.on('error', ignore);
    stream.once('end', () => this.#end({}));
    finished(stream, { writable: false }, (error) => {
      if (error == null || this.#ending !== undefined) return this.#end({});
      this.#end({ error });
      onFailed(error);
    });
  }

  async next(): Promise<unknown> {
    for (;;) {
      const chunk: unknown = this.#stream.destroyed ? null : this.#stream.read();
      if (chunk !== null) return chunk;
      if (this.#ending !== undefined) break;
      this.#listen();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if ('error' in this.#ending) throw this.#ending.error;
    return undefined;
  }

  discard(): void {
    this.#stream.off('readable', this.#onReadable);
    // What a listener's departure changes is in force a tick later.
    process.nextTick(discardReadable, this.#stream);
    this.#end({});
  }

  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#stream.on('readable', this.#onReadable);
  }

  #end(ending: { readonly error?: unknown }): void {
    this.#ending ??= ending;
    this.#wake?.();
  }
}

function webSource(stream: ReadableStream<unknown>, onFailed: (cause: unknown) => void): OpenedSource {
  const reader = stream.getReader();
  reader.closed.catch(onFailed);
  return {
    next: async () => (await reader.read()).value,
    discard: () => void reader.cancel().catch(ignore),
  };
}

function iterableSource(iterable: AsyncIterable<unknown>): OpenedSource {
  const iterator = iterable[Symbol.asyncIterator]();
  return {
    async next() {
      const { value, done } = await iterator.next();
      return done === true ? undefined : value;
    },
    discard: () => void iterator.return?.().catch(ignore),
  };
}

/**
 * A request shares its connection with its response: it is not destroyed but read to its end and thrown away, so that the response
 * reaches the client, and the connection serves the next request.
 */
function discardReadable(stream: Readable): void {
  if (isRequest(stream)) stream.resume();
  else stream.destroy();
}

function isRequest(stream: Readable): boolean {
  const { httpVersion, complete } = stream as { httpVersion?: unknown; complete?: unknown };
  return typeof httpVersion === 'string' && typeof complete === 'boolean';
}

function isWebStream(given: unknown): given is ReadableStream<unknown> {
  return typeof (given as { getReader?: unknown } | null | undefined)?.getReader === 'function';
}

function isIterable(given: unknown): given is AsyncIterable<unknown> {
  const iterate = (given as { [Symbol.asyncIterator]?: unknown } | null | undefined)?.[Symbol.asyncIterator];
  return typeof iterate === 'function';
}

function ignore(): void {}
