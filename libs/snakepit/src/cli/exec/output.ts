import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';

import { toError } from '../../core/index.js';
import { toJsonText } from '../json-text.js';
import { UsageError } from '../usage-error.js';

/** Where results go, as JSON, and binary as its bytes where a place was named for it. */
export class Output {
  #failure: Error | undefined;

  private constructor(
    private readonly sink: Writable,
    private readonly takesBytes: boolean,
    private readonly indent: number | undefined,
  ) {
    sink.on('error', (error: Error) => (this.#failure ??= error));
  }

  /**
   * @param path `-` for stdout; undefined too, where binary is written as JSON, since a terminal cannot show it
   * @param isAlone whether there is one result, which people like to see with line breaks
   * @throws UsageError for a file that cannot be written
   */
  static async open(path: string | undefined, isAlone: boolean): Promise<Output> {
    if (path === undefined || path === '-') {
      return new Output(process.stdout, path === '-', isAlone && process.stdout.isTTY ? 2 : undefined);
    }
    const file = createWriteStream(path);
    try {
      await once(file, 'open');
    } catch (error) {
      throw new UsageError(`the result cannot be written: ${toError(error).message}`, { cause: error });
    }
    return new Output(file, true, undefined);
  }

  /** Returns when the next one may come. */
  async value(value: unknown): Promise<void> {
    const isBytes = this.takesBytes && value instanceof Uint8Array;
    await this.#write(isBytes ? value : `${toJsonText(value, this.indent)}\n`);
  }

  text(text: string): Promise<void> {
    return this.#write(`${text}\n`);
  }

  async close(): Promise<void> {
    if (this.sink === process.stdout || this.sink.closed) return;
    this.sink.end();
    await once(this.sink, 'close');
  }

  async #write(chunk: string | Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.sink.write(chunk)) await once(this.sink, 'drain');
  }
}
