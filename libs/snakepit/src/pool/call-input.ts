import { types } from 'node:util';

import type { InputStream } from '../channel/index.js';
import { describeValue, SnakepitError, toError, type Delivery } from '../core/index.js';
import { openSource, type InputSource, type OpenedSource } from './input-source.js';

/** What streams fail with when whoever fed them has left. */
const ABANDONED = new Set(['ECONNRESET', 'EPIPE', 'ABORT_ERR', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED']);

/** The source of a call's input broke. */
export class InputFailure extends Error {
  override readonly name = 'InputFailure';

  constructor(cause: unknown) {
    super(toError(cause).message, { cause });
  }

  /** What it is to the call: cancelled where whoever sent the input has left, and else a failure. */
  toError(command: string, pool: string, delivery: Delivery): SnakepitError {
    const { cause, message } = this;
    const reason = `its input ended early: ${message}`;
    if (isAbandonment(cause)) return new SnakepitError('CANCELLED', { command, pool, reason }, { cause, delivery });
    return new SnakepitError('INPUT_FAILED', { command, pool, reason: message }, { cause, delivery });
  }
}

/** The input of one call: opened when the call is admitted, pulled by its worker, and let go when the call is over. */
export class CallInput implements InputStream {
  readonly #given: InputSource;
  #source: OpenedSource | undefined;
  /** What is left of a chunk that was larger than what was asked for. */
  #rest: Uint8Array | undefined;
  #isReading = false;
  #onFailed: (failure: InputFailure) => void = () => {};
  #failure: InputFailure | undefined;
  /** Fails the read that waits. */
  #giveUp: ((error: Error) => void) | undefined;
  #isAtEnd = false;
  #isClosed = false;
  hasBeenRead = false;

  constructor(given: InputSource) {
    this.#given = given;
  }

  /** Takes hold of the source; `onFailed` hears that it broke, whether or not the worker is reading it. */
  open(onFailed: (failure: InputFailure) => void): void {
    this.#onFailed = onFailed;
    this.#source = openSource(this.#given, (cause) => this.#fail(cause));
  }

  async read(maxBytes: number): Promise<Uint8Array | null> {
    if (this.#isReading)
      throw refused('it is being read already; an input has one reader, which reads one chunk at a time');
    if (this.#isClosed) throw this.#ended();
    this.#isReading = true;
    this.hasBeenRead = true;
    try {
      return await new Promise<Uint8Array | null>((resolve, reject) => {
        this.#giveUp = reject;
        this.#next(maxBytes).then(resolve, reject);
      });
    } finally {
      this.#isReading = false;
      this.#giveUp = undefined;
    }
  }

  /** The call is over: nothing is read any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#rest = undefined;
    this.#giveUp?.(this.#ended());
    if (!this.#isAtEnd) this.#source?.discard();
  }

  async #next(maxBytes: number): Promise<Uint8Array | null> {
    let bytes = this.#rest;
    this.#rest = undefined;
    while (bytes === undefined || bytes.length === 0) {
      if (this.#isAtEnd) return null;
      bytes = await this.#pull();
    }
    if (bytes.length <= maxBytes) return bytes;
    this.#rest = bytes.subarray(maxBytes);
    return bytes.subarray(0, maxBytes);
  }

  async #pull(): Promise<Uint8Array | undefined> {
    try {
      const chunk = await this.#source?.next();
      if (chunk !== undefined) return bytesOf(chunk);
      this.#isAtEnd = true;
      return undefined;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** The first failure stands: it ends the call. */
  #fail(cause: unknown): InputFailure {
    const failure = (this.#failure ??= new InputFailure(cause));
    if (!this.#isClosed) this.#onFailed(failure);
    return failure;
  }

  /** Why there is nothing to be read any more. */
  #ended(): Error {
    if (this.#failure !== undefined) return this.#failure;
    const reason = 'the call whose input it reads is over';
    return new SnakepitError('CANCELLED', { command: 'input.read', reason });
  }
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === 'string') return Buffer.from(chunk, 'utf8');
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (types.isAnyArrayBuffer(chunk)) return new Uint8Array(chunk);
  throw new TypeError(`a chunk of it is ${describeValue(chunk)}; allowed are bytes and strings`);
}

function isAbandonment(cause: unknown): boolean {
  const { name, code } = (cause ?? {}) as { name?: unknown; code?: unknown };
  return name === 'AbortError' || (typeof code === 'string' && ABANDONED.has(code));
}

function refused(reason: string): SnakepitError {
  return new SnakepitError('INVALID_ARGUMENTS', { command: 'input.read', reason });
}
