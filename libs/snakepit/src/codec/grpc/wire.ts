import { ProtocolViolation } from '../failures.js';

/**
 * The protobuf wire format for the generated messages: sizes first, so that a message is written once into a buffer of
 * exactly its size, and bytes are read without a copy. Format: https://protobuf.dev/programming-guides/encoding/
 */

export const WireType = { VARINT: 0, FIXED64: 1, BYTES: 2, START_GROUP: 3, END_GROUP: 4, FIXED32: 5 } as const;

/** The value of bytes that were left out. */
export const NO_BYTES: Buffer = Buffer.alloc(0);
const MAX_VARINT_BYTES = 10;

/** Nested deeper than any message of ours; more of it is an attack on the stack. */
const MAX_GROUP_DEPTH = 32;

export function varintSize(value: number): number {
  if (value < 0) return MAX_VARINT_BYTES;
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

export function varint64Size(value: bigint): number {
  let size = 1;
  for (let rest = BigInt.asUintN(64, value) >> 7n; rest > 0n; rest >>= 7n) size += 1;
  return size;
}

/** Of a string or of bytes, with the length that goes before. */
export function textSize(value: string): number {
  const bytes = Buffer.byteLength(value);
  return varintSize(bytes) + bytes;
}

export function bytesSize(value: Uint8Array): number {
  return varintSize(value.length) + value.length;
}

/** Of an inner message, with the length that goes before. */
export function innerSize(bytes: number): number {
  return varintSize(bytes) + bytes;
}

/** Fills a buffer whose size has been computed before. */
export class WireWriter {
  readonly buffer: Buffer;
  #position = 0;

  constructor(bytes: number) {
    this.buffer = bytes === 0 ? NO_BYTES : Buffer.allocUnsafe(bytes);
  }

  /** A whole number from -2^31 to 2^32 - 1; a negative one is sign-extended to 64 bits. */
  varint(value: number): void {
    if (value < 0) return this.varint64(BigInt(value));
    let rest = value;
    while (rest > 0x7f) {
      this.buffer[this.#position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.#position++] = rest;
  }

  varint64(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.buffer[this.#position++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.#position++] = Number(rest);
  }

  double(value: number): void {
    this.#position = this.buffer.writeDoubleLE(value, this.#position);
  }

  text(value: string): void {
    const bytes = Buffer.byteLength(value);
    this.varint(bytes);
    this.buffer.write(value, this.#position, bytes, 'utf8');
    this.#position += bytes;
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.buffer.set(value, this.#position);
    this.#position += value.length;
  }
}

/** Reads one message, and its inner ones in place. Throws ProtocolViolation where the bytes are malformed. */
export class WireReader {
  readonly #buffer: Buffer;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Where the next byte is read. */
  get position(): number {
    return this.#position;
  }

  /** The low 32 bits, unsigned. */
  varint(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new ProtocolViolation('a varint has more than ten bytes');
  }

  int32(): number {
    return this.varint() | 0;
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.#varint64());
  }

  bool(): boolean {
    return this.#varint64() !== 0n;
  }

  double(): number {
    return this.#buffer.readDoubleLE(this.#advance(8));
  }

  text(): string {
    const length = this.varint();
    const start = this.#advance(length);
    return this.#buffer.toString('utf8', start, start + length);
  }

  /** A view of the message's own bytes. */
  bytes(): Buffer {
    const length = this.varint();
    const start = this.#advance(length);
    return this.#buffer.subarray(start, start + length);
  }

  /** Where the inner message that begins here ends. */
  end(): number {
    const length = this.varint();
    if (length > this.#buffer.length - this.#position) throw truncated();
    return this.#position + length;
  }

  /** Called behind an inner message: its last member must not reach beyond it. */
  leave(end: number): void {
    if (this.#position !== end) throw new ProtocolViolation('a member is longer than its message');
  }

  /** Passes over a member that this version does not know. */
  skip(tag: number, depth = 0): void {
    switch (tag & 7) {
      case WireType.VARINT:
        this.#varint64();
        return;
      case WireType.FIXED64:
        this.#advance(8);
        return;
      case WireType.BYTES:
        this.#advance(this.varint());
        return;
      case WireType.FIXED32:
        this.#advance(4);
        return;
      case WireType.START_GROUP:
        return this.#skipGroup(tag, depth);
      default:
        throw new ProtocolViolation(`a member has the unknown wire type ${tag & 7}`);
    }
  }

  #skipGroup(start: number, depth: number): void {
    if (depth >= MAX_GROUP_DEPTH) throw new ProtocolViolation('groups are nested too deep');
    const end = (start & ~7) | WireType.END_GROUP;
    for (let tag = this.varint(); tag !== end >>> 0; tag = this.varint()) this.skip(tag, depth + 1);
  }

  #varint64(): bigint {
    const first = this.#byte();
    if (first < 0x80) return BigInt(first);
    let value = BigInt(first & 0x7f);
    for (let shift = 7n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new ProtocolViolation('a varint has more than ten bytes');
  }

  #byte(): number {
    const byte = this.#buffer[this.#position++];
    if (byte === undefined) throw truncated();
    return byte;
  }

  /** Moves on, and returns where it was. */
  #advance(bytes: number): number {
    const start = this.#position;
    if (bytes > this.#buffer.length - start) throw truncated();
    this.#position = start + bytes;
    return start;
  }
}

function truncated(): ProtocolViolation {
  return new ProtocolViolation('a message ends in the middle of a member');
}
