import type { ByteWriter } from '../byte-writer.js';
import { encodeCallMeta, type CallMetaInit } from './generated/worker.js';
import { varintSize } from './wire.js';

/** Room for everything that stands before the body: three numbers, a flag, and the body's own tag and length. */
const HEAD_BYTES = 32;
/** Up to this size a message is copied out of the writer, which is cheaper than parting with its buffer. */
const COPY_UP_TO = 64 * 1024;

const Tag = { ATTACHMENT: 8, ID: 16, COMMAND: 24, BODY: 42, TAGGED: 48, META: 58 } as const;

export interface CallRequestHead {
  readonly attachment: number;
  readonly id: number;
  readonly command: number;
  readonly tagged: boolean;
  readonly meta: CallMetaInit | undefined;
}

/**
 * Writes a CallRequest around a body that is encoded in place, because a body of 16 MB should not be copied only to get
 * a few bytes before it. The head, whose size depends on the body's, is filled in from its end:
 *
 * ```
 *   0            HEAD_BYTES
 *   |  free  head | body        | meta |
 *            ^ the message begins here
 * ```
 * The writer must be empty. Members may come in any order: https://protobuf.dev/programming-guides/encoding/#order
 */
export class CallRequestWriter {
  constructor(readonly out: ByteWriter) {}

  /** To be followed by the body, then by {@link finish}. */
  begin(): void {
    this.out.rollback(0);
    this.out.reserve(HEAD_BYTES);
    this.out.position = HEAD_BYTES;
  }

  get bodyBytes(): number {
    return this.out.position - HEAD_BYTES;
  }

  finish({ attachment, id, command, tagged, meta }: CallRequestHead): Buffer {
    const { out, bodyBytes } = this;
    let start = this.#member(HEAD_BYTES, Tag.BODY, bodyBytes);
    if (tagged) start = this.#member(start, Tag.TAGGED, 1);
    if (command !== 0) start = this.#member(start, Tag.COMMAND, command);
    start = this.#member(start, Tag.ID, id);
    start = this.#member(start, Tag.ATTACHMENT, attachment);
    if (meta !== undefined) this.#append(encodeCallMeta(meta));
    if (out.position - start > COPY_UP_TO) return out.take().subarray(start);
    const message = Buffer.from(out.buffer.subarray(start, out.position));
    out.rollback(0);
    return message;
  }

  /** Writes a tag and a number so that they end at `end`; returns where they begin. */
  #member(end: number, tag: number, value: number): number {
    const start = end - varintSize(value) - 1;
    this.out.buffer[start] = tag;
    this.#varint(start + 1, value);
    return start;
  }

  #append(meta: Uint8Array): void {
    const { out } = this;
    const size = varintSize(meta.length);
    out.reserve(1 + size);
    out.buffer[out.position] = Tag.META;
    this.#varint(out.position + 1, meta.length);
    out.position += 1 + size;
    out.writeBytes(meta);
  }

  #varint(at: number, value: number): void {
    const { buffer } = this.out;
    let position = at;
    let rest = value;
    while (rest > 0x7f) {
      buffer[position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[position] = rest;
  }
}
