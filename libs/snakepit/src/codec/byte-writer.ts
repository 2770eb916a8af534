import { PLAIN_BINARY, type BinaryForm } from './binary.js';
import { HEADER_BYTES } from './frame.js';
import { allocateBuffer } from './large-buffer.js';

const INITIAL_BYTES = 64 * 1024;

/** Up to this many bytes `take` copies out, which is cheaper than parting with the whole buffer. */
const COPY_UP_TO = 2048;

/** Larger buffers are left to the garbage collector: one huge frame must not be paid for ever after. */
const RECYCLE_UP_TO = 1024 * 1024;

const MAX_SPARES = 4;

/** Growable output buffer into which a tick's frames are encoded one after another. */
export class ByteWriter {
  buffer: Buffer;
  /** Bytes written since the last `take`; the next byte goes here. */
  position = 0;
  /** How the binary in the values that are encoded leaves. */
  binary: BinaryForm = PLAIN_BINARY;
  readonly #initialBytes: number;
  readonly #spares: Buffer[] = [];
  readonly #lent = new WeakSet<ArrayBufferLike>();

  constructor(initialBytes = INITIAL_BYTES) {
    this.#initialBytes = Math.max(initialBytes, HEADER_BYTES);
    this.buffer = allocateBuffer(this.#initialBytes);
  }

  /** Makes room for `bytes` more; `buffer` may be another object afterwards. */
  reserve(bytes: number): void {
    if (this.position + bytes > this.buffer.length) this.#grow(bytes);
  }

  writeUInt32(value: number): void {
    this.reserve(4);
    const { buffer, position } = this;
    buffer[position] = value >>> 24;
    buffer[position + 1] = value >>> 16;
    buffer[position + 2] = value >>> 8;
    buffer[position + 3] = value;
    this.position = position + 4;
  }

  /** Up to 2^53 - 1. */
  writeUInt64(value: number): void {
    this.writeUInt32(Math.floor(value / 2 ** 32));
    this.writeUInt32(value % 2 ** 32);
  }

  writeBytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** Writes a frame without a body. */
  frame(kind: number, flags: number, aux: number, id: number): void {
    this.reserve(HEADER_BYTES);
    this.#header(this.position, 0, kind, flags, aux, id);
    this.position += HEADER_BYTES;
  }

  /** Leaves room for a header and returns the frame's offset, for `endFrame` or `rollback`. */
  beginFrame(): number {
    this.reserve(HEADER_BYTES);
    const start = this.position;
    this.position = start + HEADER_BYTES;
    return start;
  }

  /** Fills in the header of the frame that began at `start`; returns the length of its body. */
  endFrame(start: number, kind: number, flags: number, aux: number, id: number): number {
    const length = this.position - start - HEADER_BYTES;
    this.#header(start, length, kind, flags, aux, id);
    return length;
  }

  /** Drops everything from `start` on: a frame that could not be encoded or is too large. */
  rollback(start: number): void {
    this.position = start;
  }

  /**
   * Hands out the bytes written so far and starts over. They are never written to again, unless `recycle` gives
   * them back.
   */
  take(): Buffer {
    const { buffer, position } = this;
    this.position = 0;
    if (position <= COPY_UP_TO) {
      const copy = Buffer.allocUnsafe(position);
      buffer.copy(copy, 0, 0, position);
      return copy;
    }
    this.#lent.add(buffer.buffer);
    this.buffer = this.#spares.pop() ?? allocateBuffer(this.#initialBytes);
    return buffer.subarray(0, position);
  }

  /** Takes back what `take` handed out, once nobody reads it any more. */
  recycle(taken: Buffer): void {
    const memory = taken.buffer;
    if (!this.#lent.delete(memory)) return;
    if (memory.byteLength > RECYCLE_UP_TO || this.#spares.length >= MAX_SPARES) return;
    this.#spares.push(Buffer.from(memory));
  }

  #grow(bytes: number): void {
    const larger = allocateBuffer(Math.max(this.buffer.length * 2, this.position + bytes));
    this.buffer.copy(larger, 0, 0, this.position);
    this.buffer = larger;
  }

  #header(at: number, length: number, kind: number, flags: number, aux: number, id: number): void {
    const { buffer } = this;
    buffer[at] = length >>> 24;
    buffer[at + 1] = length >>> 16;
    buffer[at + 2] = length >>> 8;
    buffer[at + 3] = length;
    buffer[at + 4] = kind;
    buffer[at + 5] = flags;
    buffer[at + 6] = aux >>> 8;
    buffer[at + 7] = aux;
    buffer[at + 8] = id >>> 24;
    buffer[at + 9] = id >>> 16;
    buffer[at + 10] = id >>> 8;
    buffer[at + 11] = id;
  }
}
