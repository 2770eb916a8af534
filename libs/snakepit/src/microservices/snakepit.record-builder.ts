import type { CallOptions } from '../runtime/index.js';

/** What may be said about one message: all options of a call, such as its session or its timeout. */
export type SnakepitRecordOptions = CallOptions;

/** Data of a message with options of its own; made by {@link SnakepitRecordBuilder}. */
export class SnakepitRecord<Data = unknown> {
  constructor(
    readonly data: Data,
    readonly options: SnakepitRecordOptions = {},
  ) {}
}

/**
 * Gives one message options of its own, as the record builders of Nest's other transports do.
 *
 * @example
 * client.send('train', new SnakepitRecordBuilder({ epochs: 5 }).setOptions({ session, timeoutMs: 60_000 }).build())
 */
export class SnakepitRecordBuilder<Data = unknown> {
  #data: Data | undefined;
  #options: SnakepitRecordOptions = {};

  constructor(data?: Data) {
    this.#data = data;
  }

  setData(data: Data): this {
    this.#data = data;
    return this;
  }

  setOptions(options: SnakepitRecordOptions): this {
    this.#options = options;
    return this;
  }

  build(): SnakepitRecord<Data> {
    return new SnakepitRecord(this.#data as Data, this.#options);
  }
}
