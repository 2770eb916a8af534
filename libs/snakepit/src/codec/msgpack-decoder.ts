import type { BinaryStore } from './binary.js';
import { BINARY_ELEMENTS, refuseElements } from './element-limit.js';
import { ProtocolViolation } from './failures.js';
import { Extension } from './frame.js';
import { viewOf } from './typed-array.js';
import { decodeUtf8 } from './utf8.js';

const TWO_32 = 2 ** 32;

/** Keys up to this long are looked up in the cache before a string is made. */
const CACHED_KEY_BYTES = 24;
const CACHE_SIZE = 1024;

/**
 * Reads MessagePack in one pass. Whatever the bytes claim, nothing is read past `end`, no memory is reserved on
 * the word of a length, and nesting is bounded.
 */
export class MsgpackDecoder {
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;
  private end = 0;
  private elementsLeft = 0;
  /** Map keys repeat from message to message: direct-mapped by hash, checked byte by byte. */
  private readonly keys: string[] = Array.from({ length: CACHE_SIZE }, () => '');

  constructor(
    private readonly maxDepth: number,
    private readonly maxElements: number,
    private readonly store?: BinaryStore,
  ) {}

  decode(bytes: Buffer, start: number, end: number): unknown {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.elementsLeft = this.maxElements;
    const value = this.value(this.maxDepth);
    if (this.at !== end) throw new ProtocolViolation(`${end - this.at} bytes follow the MessagePack value`);
    return value;
  }

  private value(depthLeft: number): unknown {
    const type = this.byte();
    if (type < 0x80) return type;
    if (type >= 0xe0) return type - 0x100;
    if (type < 0x90) return this.map(type & 0x0f, depthLeft);
    if (type < 0xa0) return this.list(type & 0x0f, depthLeft);
    if (type < 0xc0) return this.string(type & 0x1f);
    switch (type) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.binary(this.byte());
      case 0xc5:
        return this.binary(this.uint16());
      case 0xc6:
        return this.binary(this.uint32());
      case 0xc7:
        return this.extension(this.byte());
      case 0xc8:
        return this.extension(this.uint16());
      case 0xc9:
        return this.extension(this.uint32());
      case 0xca:
        return this.bytes.readFloatBE(this.take(4));
      case 0xcb:
        return this.bytes.readDoubleBE(this.take(8));
      case 0xcc:
        return this.byte();
      case 0xcd:
        return this.uint16();
      case 0xce:
        return this.uint32();
      case 0xcf:
        return this.integer64(this.uint32());
      case 0xd0:
        return (this.byte() << 24) >> 24;
      case 0xd1:
        return (this.uint16() << 16) >> 16;
      case 0xd2:
        return this.uint32() | 0;
      case 0xd3:
        return this.integer64(this.uint32() | 0);
      case 0xd4:
        return this.extension(1);
      case 0xd5:
        return this.extension(2);
      case 0xd6:
        return this.extension(4);
      case 0xd7:
        return this.extension(8);
      case 0xd8:
        return this.extension(16);
      case 0xd9:
        return this.string(this.byte());
      case 0xda:
        return this.string(this.uint16());
      case 0xdb:
        return this.string(this.uint32());
      case 0xdc:
        return this.list(this.uint16(), depthLeft);
      case 0xdd:
        return this.list(this.uint32(), depthLeft);
      case 0xde:
        return this.map(this.uint16(), depthLeft);
      case 0xdf:
        return this.map(this.uint32(), depthLeft);
      default:
        throw new ProtocolViolation(`MessagePack type 0x${type.toString(16)} is not used by this protocol`);
    }
  }

  private list(length: number, depthLeft: number): unknown[] {
    this.descend(length, length, depthLeft);
    const list: unknown[] = [];
    for (let index = 0; index < length; index += 1) list.push(this.value(depthLeft - 1));
    return list;
  }

  private map(length: number, depthLeft: number): Record<string, unknown> {
    this.descend(length, length * 2, depthLeft);
    const map: Record<string, unknown> = {};
    for (let index = 0; index < length; index += 1) {
      const key = this.key();
      const value = this.value(depthLeft - 1);
      if (key === '__proto__') defineOwn(map, key, value);
      else map[key] = value;
    }
    return map;
  }

  /** Every value takes a byte at least, so a container cannot hold more of them than there are bytes. */
  private descend(elements: number, atLeastBytes: number, depthLeft: number): void {
    if (depthLeft === 0) throw new ProtocolViolation(`a value is nested deeper than maxDepth`);
    if (atLeastBytes > this.end - this.at) throw new ProtocolViolation('a MessagePack container ends early');
    this.count(elements);
  }

  /** Values take more memory than bytes. */
  private count(elements: number): void {
    this.elementsLeft -= elements;
    if (this.elementsLeft < 0) refuseElements(this.maxElements);
  }

  private key(): string {
    const type = this.byte();
    if (type >= 0xa0 && type < 0xc0) return this.shortKey(type & 0x1f);
    if (type === 0xd9) return this.string(this.byte());
    if (type === 0xda) return this.string(this.uint16());
    if (type === 0xdb) return this.string(this.uint32());
    throw new ProtocolViolation('a MessagePack map has a key that is not a string');
  }

  private shortKey(length: number): string {
    if (length > CACHED_KEY_BYTES || length === 0) return this.string(length);
    const { bytes, at } = this;
    if (at + length > this.end) throw new ProtocolViolation('a MessagePack value ends early');
    let hash = length;
    for (let index = at; index < at + length; index += 1) hash = (Math.imul(hash, 31) + bytes[index]!) | 0;
    const slot = hash & (CACHE_SIZE - 1);
    const cached = this.keys[slot]!;
    if (cached.length === length && equalsAscii(cached, bytes, at)) {
      this.at = at + length;
      return cached;
    }
    const key = this.string(length);
    if (key.length === length) this.keys[slot] = key;
    return key;
  }

  private string(length: number): string {
    if (length === 0) return '';
    const start = this.take(length);
    return decodeUtf8(this.bytes, start, start + length);
  }

  private binary(length: number): Buffer {
    this.count(BINARY_ELEMENTS - 1);
    const start = this.take(length);
    return Buffer.from(this.bytes.subarray(start, start + length));
  }

  private integer64(high: number): number | bigint {
    const low = this.uint32();
    const value = high * TWO_32 + low;
    return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low);
  }

  private extension(length: number): unknown {
    const type = this.byte();
    switch (type) {
      case 0xff:
        return this.timestamp(length);
      case Extension.REFERENCE:
        return this.reference(length);
      case Extension.TYPED:
        if (length === 0) throw new ProtocolViolation('a typed array without its type');
        return viewOf(this.byte(), this.binary(length - 1));
      default:
        throw new ProtocolViolation(`a MessagePack extension of type ${type}, which this protocol does not use`);
    }
  }

  private reference(length: number): ArrayBufferView {
    if (length !== 17) throw new ProtocolViolation(`a reference of ${length} bytes`);
    const elementType = this.byte();
    const offset = this.uint32() * TWO_32 + this.uint32();
    const bytes = this.uint32() * TWO_32 + this.uint32();
    if (this.store === undefined) throw new ProtocolViolation('a reference to an arena that was not agreed on');
    return viewOf(elementType, this.store.get(offset, bytes));
  }

  private timestamp(length: number): Date {
    if (length === 4) return new Date(this.uint32() * 1000);
    if (length === 8) {
      const nanosecondsAndHigh = this.uint32();
      const seconds = (nanosecondsAndHigh & 3) * TWO_32 + this.uint32();
      return time(seconds, nanosecondsAndHigh >>> 2);
    }
    if (length !== 12) throw new ProtocolViolation(`a timestamp of ${length} bytes`);
    const nanoseconds = this.uint32();
    const high = this.uint32() | 0;
    return time(high * TWO_32 + this.uint32(), nanoseconds);
  }

  private byte(): number {
    const { at } = this;
    if (at >= this.end) throw new ProtocolViolation('a MessagePack value ends early');
    this.at = at + 1;
    return this.bytes[at]!;
  }

  private uint16(): number {
    const at = this.take(2);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  private uint32(): number {
    const at = this.take(4);
    const { bytes } = this;
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
  }

  /** Moves past the next `length` bytes and returns where they start. */
  private take(length: number): number {
    const { at } = this;
    if (length > this.end - at) throw new ProtocolViolation('a MessagePack value ends early');
    this.at = at + length;
    return at;
  }
}

function time(seconds: number, nanoseconds: number): Date {
  if (nanoseconds > 999_999_999) throw new ProtocolViolation('a timestamp with more than 999999999 nanoseconds');
  const date = new Date(seconds * 1000 + Math.floor(nanoseconds / 1_000_000));
  if (Number.isNaN(date.getTime())) throw new ProtocolViolation('a timestamp out of range');
  return date;
}

function equalsAscii(text: string, bytes: Buffer, at: number): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit !== bytes[at + index] || unit >= 0x80) return false;
  }
  return true;
}

/** Sets an own property whatever its name means to the prototype. */
export function defineOwn(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}
