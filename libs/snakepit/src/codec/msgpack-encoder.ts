import type { ByteWriter } from './byte-writer.js';
import { BinaryTooLarge } from './failures.js';
import { Extension } from './frame.js';
import {
  bytesOf,
  checkInteger,
  checkString,
  classify,
  hasToJson,
  passOn,
  refuseDepth,
  refuseUnsendable,
  type Outgoing,
} from './outgoing.js';
import { elementTypeOf, PLAIN_BYTES } from './typed-array.js';

const TWO_32 = 2 ** 32;

/** Strings up to this many UTF-16 units are written here rather than by a native call. */
const SHORT_STRING = 24;

/**
 * Writes values as MessagePack straight into the output and checks them on the way: one pass, no copies.
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
export function writeMsgpack(out: ByteWriter, value: unknown, depthLeft: number, maxDepth: number): void {
  switch (typeof value) {
    case 'string':
      return writeString(out, value);
    case 'number':
      return writeNumber(out, value);
    case 'object':
      if (value === null) return writeByte(out, 0xc0);
      return writeObject(out, value, depthLeft, maxDepth);
    case 'boolean':
      return writeByte(out, value ? 0xc3 : 0xc2);
    case 'undefined':
      return writeByte(out, 0xc0);
    case 'bigint':
      return writeBigInt(out, value);
    default:
      return refuseUnsendable(value);
  }
}

/** Writes the header of a list whose items the caller writes next. */
export function writeListHeader(out: ByteWriter, length: number): void {
  if (length < 16) writeByte(out, 0x90 | length);
  else writeSized(out, length, 0xdc);
}

function writeObject(out: ByteWriter, value: object, depthLeft: number, maxDepth: number): void {
  if (Array.isArray(value)) return writeList(out, value, depthLeft, maxDepth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return writeMap(out, value, depthLeft, maxDepth, true);
  return writeInstance(out, classify(value), depthLeft, maxDepth);
}

function writeInstance(out: ByteWriter, outgoing: Outgoing, depthLeft: number, maxDepth: number): void {
  switch (outgoing.kind) {
    case 'binary':
      return writeBinary(out, outgoing.view);
    case 'time':
      return writeTime(out, outgoing.time);
    case 'properties':
      return writeMap(out, outgoing.object, depthLeft, maxDepth, false);
    case 'instead':
      return writeInstead(out, outgoing.value, depthLeft, maxDepth);
  }
}

/** `toJSON` is asked once: what it returns is taken by its properties even if it has a `toJSON` again. */
function writeInstead(out: ByteWriter, value: unknown, depthLeft: number, maxDepth: number): void {
  const repeats = typeof value === 'object' && value !== null && !Array.isArray(value) && hasToJson(value);
  if (repeats && !(value instanceof Date)) writeMap(out, value, depthLeft, maxDepth, false);
  else writeMsgpack(out, value, depthLeft, maxDepth);
}

function writeList(out: ByteWriter, list: readonly unknown[], depthLeft: number, maxDepth: number): void {
  if (depthLeft === 0) refuseDepth(list, maxDepth);
  writeListHeader(out, list.length);
  let index = 0;
  try {
    for (; index < list.length; index += 1) writeMsgpack(out, list[index], depthLeft - 1, maxDepth);
  } catch (thrown) {
    passOn(thrown, list, index);
  }
}

/** `asksToJson`: whether an own function `toJSON` stands in for the map. */
function writeMap(out: ByteWriter, map: object, depthLeft: number, maxDepth: number, asksToJson: boolean): void {
  if (depthLeft === 0) refuseDepth(map, maxDepth);
  const values = map as Record<string, unknown>;
  const keys = Object.keys(map);
  const start = out.position;
  // The header is written for all keys and mended below if some had no value. Only small maps, whose header
  // is one byte, can be mended in place.
  let count = keys.length;
  if (count >= 16) count = keys.reduce((total, key) => (values[key] === undefined ? total - 1 : total), count);
  if (count < 16) writeByte(out, 0x80 | count);
  else writeSized(out, count, 0xde);
  let written = 0;
  let key = '';
  try {
    for (key of keys) {
      const value = values[key];
      if (value === undefined) continue;
      if (typeof value === 'function' && key === 'toJSON') {
        if (!asksToJson) continue;
        out.position = start;
        return writeInstead(out, value.call(map, ''), depthLeft, maxDepth);
      }
      writeString(out, key);
      writeMsgpack(out, value, depthLeft - 1, maxDepth);
      written += 1;
    }
  } catch (thrown) {
    passOn(thrown, map, key);
  }
  if (written !== count) mendCount(out, start, written, count);
}

/** A map of 16 keys and more loses one here only to a `toJSON` that is not asked or to a getter that changed its mind. */
function mendCount(out: ByteWriter, start: number, written: number, count: number): void {
  const { buffer } = out;
  if (count < 16 && written < 16) buffer[start] = 0x80 | written;
  else if (count >= 16 && count <= 0xffff && written <= 0xffff) buffer.writeUInt16BE(written, start + 1);
  else if (count > 0xffff) buffer.writeUInt32BE(written, start + 1);
  else throw new TypeError('an object changed while it was encoded');
}

function writeString(out: ByteWriter, value: string): void {
  const { length } = value;
  if (length <= SHORT_STRING) {
    out.reserve(2 + length);
    const { buffer, position } = out;
    let at = position + (length < 32 ? 1 : 2);
    let index = 0;
    for (; index < length; index += 1) {
      const unit = value.charCodeAt(index);
      if (unit >= 0x80) break;
      buffer[at] = unit;
      at += 1;
    }
    if (index === length) {
      buffer[position] = 0xa0 | length;
      out.position = at;
      return;
    }
  }
  writeLongString(out, value);
}

function writeLongString(out: ByteWriter, value: string): void {
  checkString(value);
  // Reserving the worst case, three bytes a unit, would triple the memory of a large text.
  const most = value.length > 4096 ? Buffer.byteLength(value) : value.length * 3;
  out.reserve(5 + most);
  const { buffer, position } = out;
  const header = stringHeaderBytes(most);
  let bytes = buffer.write(value, position + header, 'utf8');
  const fits = stringHeaderBytes(bytes);
  if (fits !== header) {
    buffer.copyWithin(position + fits, position + header, position + header + bytes);
  }
  if (fits === 1) {
    buffer[position] = 0xa0 | bytes;
  } else if (fits === 2) {
    buffer[position] = 0xd9;
    buffer[position + 1] = bytes;
  } else if (fits === 3) {
    buffer[position] = 0xda;
    buffer.writeUInt16BE(bytes, position + 1);
  } else {
    buffer[position] = 0xdb;
    buffer.writeUInt32BE(bytes, position + 1);
  }
  bytes += fits;
  out.position = position + bytes;
}

function stringHeaderBytes(bytes: number): number {
  if (bytes < 32) return 1;
  if (bytes <= 0xff) return 2;
  return bytes <= 0xffff ? 3 : 5;
}

function writeNumber(out: ByteWriter, value: number): void {
  if (value >>> 0 === value && (value !== 0 || !Object.is(value, -0))) {
    if (value < 0x80) writeByte(out, value);
    else writeUnsigned32(out, value);
  } else if (value >> 0 === value && value !== 0) {
    writeNegative32(out, value);
  } else if (Number.isSafeInteger(value) && value !== 0) {
    out.reserve(9);
    const { buffer, position } = out;
    const high = Math.floor(value / TWO_32);
    buffer[position] = value < 0 ? 0xd3 : 0xcf;
    buffer.writeInt32BE(high | 0, position + 1);
    buffer.writeUInt32BE(value - high * TWO_32, position + 5);
    out.position = position + 9;
  } else {
    out.reserve(9);
    out.buffer[out.position] = 0xcb;
    out.buffer.writeDoubleBE(value, out.position + 1);
    out.position += 9;
  }
}

function writeUnsigned32(out: ByteWriter, value: number): void {
  out.reserve(5);
  const { buffer, position } = out;
  if (value <= 0xff) {
    buffer[position] = 0xcc;
    buffer[position + 1] = value;
    out.position = position + 2;
  } else if (value <= 0xffff) {
    buffer[position] = 0xcd;
    buffer[position + 1] = value >>> 8;
    buffer[position + 2] = value;
    out.position = position + 3;
  } else {
    buffer[position] = 0xce;
    buffer[position + 1] = value >>> 24;
    buffer[position + 2] = value >>> 16;
    buffer[position + 3] = value >>> 8;
    buffer[position + 4] = value;
    out.position = position + 5;
  }
}

function writeNegative32(out: ByteWriter, value: number): void {
  out.reserve(5);
  const { buffer, position } = out;
  if (value >= -32) {
    buffer[position] = value;
    out.position = position + 1;
  } else if (value >= -0x80) {
    buffer[position] = 0xd0;
    buffer[position + 1] = value;
    out.position = position + 2;
  } else if (value >= -0x8000) {
    buffer[position] = 0xd1;
    buffer.writeInt16BE(value, position + 1);
    out.position = position + 3;
  } else {
    buffer[position] = 0xd2;
    buffer.writeInt32BE(value, position + 1);
    out.position = position + 5;
  }
}

function writeBigInt(out: ByteWriter, value: bigint): void {
  checkInteger(value);
  const number = Number(value);
  if (Number.isSafeInteger(number)) return writeNumber(out, number);
  out.reserve(9);
  const { buffer, position } = out;
  buffer[position] = value < 0n ? 0xd3 : 0xcf;
  buffer.writeBigUInt64BE(BigInt.asUintN(64, value), position + 1);
  out.position = position + 9;
}

function writeBinary(out: ByteWriter, view: ArrayBufferView): void {
  const { keepsTypes, maxBytes, store } = out.binary;
  const { byteLength } = view;
  if (byteLength > maxBytes) throw new BinaryTooLarge(byteLength, maxBytes);
  const elementType = keepsTypes ? elementTypeOf(view) : PLAIN_BYTES;
  const bytes = bytesOf(view);
  const offset = store?.put(bytes);
  if (offset !== undefined) return writeReference(out, elementType, offset, byteLength);
  out.reserve(7 + byteLength);
  if (elementType === PLAIN_BYTES) {
    writeLength(out, byteLength, 0xc4);
  } else {
    writeExtensionHeader(out, byteLength + 1);
    out.buffer[out.position] = Extension.TYPED;
    out.buffer[out.position + 1] = elementType;
    out.position += 2;
  }
  out.writeBytes(bytes);
}

/** What comes before the type of an extension, in its shortest form. */
function writeExtensionHeader(out: ByteWriter, length: number): void {
  const fixed = [1, 2, 4, 8, 16].indexOf(length);
  if (fixed >= 0) writeByte(out, 0xd4 + fixed);
  else writeLength(out, length, 0xc7);
}

function writeReference(out: ByteWriter, elementType: number, offset: number, length: number): void {
  out.reserve(4);
  const { buffer, position } = out;
  buffer[position] = 0xc7;
  buffer[position + 1] = 17;
  buffer[position + 2] = Extension.REFERENCE;
  buffer[position + 3] = elementType;
  out.position = position + 4;
  out.writeUInt64(offset);
  out.writeUInt64(length);
}

/** An 8-bit length under `type8`, or a longer one under the types that follow it. */
function writeLength(out: ByteWriter, length: number, type8: number): void {
  if (length > 0xff) return writeSized(out, length, type8 + 1);
  out.reserve(2);
  out.buffer[out.position] = type8;
  out.buffer[out.position + 1] = length;
  out.position += 2;
}

/** Timestamp extension, the shortest of its three forms. */
function writeTime(out: ByteWriter, time: number): void {
  const seconds = Math.floor(time / 1000);
  const nanoseconds = (time - seconds * 1000) * 1_000_000;
  out.reserve(15);
  const { buffer, position } = out;
  if (seconds < 0 || seconds >= 2 ** 34) {
    buffer[position] = 0xc7;
    buffer[position + 1] = 12;
    buffer[position + 2] = 0xff;
    buffer.writeUInt32BE(nanoseconds, position + 3);
    buffer.writeBigInt64BE(BigInt(seconds), position + 7);
    out.position = position + 15;
  } else if (nanoseconds === 0 && seconds < TWO_32) {
    buffer[position] = 0xd6;
    buffer[position + 1] = 0xff;
    buffer.writeUInt32BE(seconds, position + 2);
    out.position = position + 6;
  } else {
    buffer[position] = 0xd7;
    buffer[position + 1] = 0xff;
    buffer.writeUInt32BE(nanoseconds * 4 + Math.floor(seconds / TWO_32), position + 2);
    buffer.writeUInt32BE(seconds % TWO_32, position + 6);
    out.position = position + 10;
  }
}

/** A 16-bit length under `type16`, or a 32-bit one under the type that follows it. */
function writeSized(out: ByteWriter, length: number, type16: number): void {
  out.reserve(5);
  const { buffer, position } = out;
  if (length <= 0xffff) {
    buffer[position] = type16;
    buffer[position + 1] = length >>> 8;
    buffer[position + 2] = length;
    out.position = position + 3;
  } else {
    buffer[position] = type16 + 1;
    buffer.writeUInt32BE(length, position + 1);
    out.position = position + 5;
  }
}

function writeByte(out: ByteWriter, byte: number): void {
  out.reserve(1);
  out.buffer[out.position] = byte;
  out.position += 1;
}
