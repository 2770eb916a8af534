import { Readable } from 'node:stream';
import { types } from 'node:util';

import { describeValue, SnakepitError } from '../core/index.js';
import { iterate, type ItemIterator, type StreamRequest } from './streams.js';

/** What the stream holds ready for whoever reads it; the items that are on their way come on top. */
const HIGH_WATER_MARK = 256 * 1024;

/**
 * The items of a stream, each bytes or text, as a Node stream of bytes.
 *
 * It pulls: what is not read suspends the worker. The command starts with the first read and stops when the stream is destroyed.
 */
export class ItemReadable extends Readable {
  readonly #command: string;
  readonly #items: ItemIterator<unknown>;

  constructor(request: StreamRequest) {
    super({ highWaterMark: HIGH_WATER_MARK });
    this.#command = request.command;
    this.#items = iterate(request);
  }

  override _read(): void {
    this.#items.next().then(
      ({ value, done }) => this.#take(value, done === true),
      (error: Error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    void this.#items.return().then(() => callback(error));
  }

  #take(item: unknown, isEnd: boolean): void {
    if (this.destroyed) return;
    const bytes = isEnd ? null : bytesOf(item);
    if (bytes === undefined) return void this.destroy(this.#notBytes(item));
    // An empty chunk counts as none, and nobody would ask for the next.
    if (bytes !== null && bytes.length === 0) return this._read();
    this.push(bytes);
  }

  #notBytes(item: unknown): SnakepitError {
    const reason = `an item is ${describeValue(item)}; readable() takes bytes and strings, iterate() and stream() any value`;
    return new SnakepitError('INVALID_RESULT', { command: this.#command, reason });
  }
}

function bytesOf(item: unknown): Uint8Array | undefined {
  if (typeof item === 'string') return Buffer.from(item, 'utf8');
  if (item instanceof Uint8Array) return item;
  if (ArrayBuffer.isView(item)) return new Uint8Array(item.buffer, item.byteOffset, item.byteLength);
  return types.isAnyArrayBuffer(item) ? new Uint8Array(item) : undefined;
}
