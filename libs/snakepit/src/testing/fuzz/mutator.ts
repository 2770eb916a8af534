import type { Random } from '../simulation/random.js';

/** First bytes of MessagePack values, and other bytes that decide what follows. */
const TELLING_BYTES = [
  0x00, 0x01, 0x7f, 0x80, 0x8f, 0x90, 0x91, 0x9f, 0xa0, 0xa1, 0xbf, 0xc0, 0xc1, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9,
  0xca, 0xcb, 0xcf, 0xd0, 0xd3, 0xd4, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff, 0x22,
  0x5b, 0x7b,
];
const TELLING_LENGTHS = [
  0, 1, 2, 3, 11, 12, 13, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000, 0x7fff_ffff, 0xffff_fffe, 0xffff_ffff,
];

const WORDS = [
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
  '""',
  'null',
  'true',
  '-0',
  '1e999',
  '-1',
  '0.1',
  '9007199254740993',
  '1e-7',
  '123456789012345678901234567890',
  '{"$int":"18446744073709551615"}',
  '{"$float":"NaN"}',
  '{"$bin":[0,4]}',
  '{"$bin":[0,1]}',
  '{"$bin":[1,9007199254740991]}',
  '{"$shm":[0,4096]}',
  '{"$shm":[-1,1]}',
  '{"$typed":["f8",{"$bin":[0,8]}]}',
  '{"$typed":["i4",{"$bin":[0,3]}]}',
  '{"$esc":{"$int":"1"}}',
  '{"$time":"2026-02-30T00:00:00.000Z"}',
  '"__proto__":',
  '"constructor":',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '"\\ud800"',
  '"\\u0000"',
  '"toString":',
].map((word) => Buffer.from(word));

/** What makes a decoder that recurses, or that believes a length, suffer. */
const NESTS = [
  '[',
  '{"a":',
  '{"$esc":{"a":',
  '{"$typed":["i1",',
  '{"$int":[',
  '{"$bin":[',
  '{"schema":',
  '[{},',
  '[[],',
  '{"$bin":[0,2]},',
].map((text) => Buffer.from(text));
const BINARY_NESTS = [
  '91',
  '81a161',
  'dd00000001',
  'dc0001',
  'ddffffffff',
  'df00000001a161',
  '80',
  '90',
  'c400',
  'c7010205',
  'a0',
].map((hex) => Buffer.from(hex, 'hex'));

/** An input no longer than this stays below what a batch may allocate even for honest values. */
const MAX_BYTES = 64 * 1024;

/** Makes bytes that are almost right out of bytes that are. */
export class Mutator {
  constructor(
    private readonly random: Random,
    private readonly seeds: readonly Buffer[],
  ) {}

  next(): Buffer {
    const { random } = this;
    let bytes: Buffer = Buffer.from(random.pick(this.seeds));
    const rounds = random.chance(0.5) ? 1 : random.integer(2, 6);
    for (let round = 0; round < rounds; round += 1) bytes = this.#mutate(bytes);
    return bytes.length > MAX_BYTES ? bytes.subarray(0, MAX_BYTES) : bytes;
  }

  #mutate(bytes: Buffer): Buffer {
    const { random } = this;
    const at = random.integer(0, bytes.length);
    switch (random.integer(0, 11)) {
      case 0:
        return flip(bytes, at, 1 << random.integer(0, 7));
      case 1:
        return set(bytes, at, random.pick(TELLING_BYTES));
      case 2:
        return set(bytes, at, random.integer(0, 255));
      case 3:
        return bytes.subarray(0, at);
      case 4:
        return splice(bytes, at, at, Buffer.from([random.pick(TELLING_BYTES)]));
      case 5:
        return splice(bytes, at, Math.min(bytes.length, at + random.integer(1, 8)), NOTHING);
      case 6:
        return this.#setLength(bytes, at);
      case 7:
        return splice(bytes, at, at, random.pick(WORDS));
      case 8:
        return splice(
          bytes,
          at,
          Math.min(bytes.length, at + random.integer(0, 16)),
          this.#piece(random.pick(this.seeds)),
        );
      case 9:
        return splice(bytes, at, at, this.#piece(bytes));
      case 10:
        return this.#nest(bytes, at);
      default:
        return this.#replaceNumber(bytes, at);
    }
  }

  #piece(bytes: Buffer): Buffer {
    const start = this.random.integer(0, bytes.length);
    return bytes.subarray(start, Math.min(bytes.length, start + this.random.integer(1, 64)));
  }

  #setLength(bytes: Buffer, at: number): Buffer {
    const width = this.random.pick([2, 4, 8]);
    if (at + width > bytes.length) return bytes;
    const length = this.random.chance(0.3) ? bytes.length - at - width : this.random.pick(TELLING_LENGTHS);
    if (width === 2) bytes.writeUInt16BE(length & 0xffff, at);
    else bytes.writeUInt32BE(length >>> 0, at + width - 4);
    return bytes;
  }

  /** Rarely many levels, which take long to read. */
  #nest(bytes: Buffer, at: number): Buffer {
    const { random } = this;
    const times = random.chance(0.02) ? random.integer(100, 6_000) : random.integer(2, 70);
    const unit = random.pick(random.chance(0.5) ? NESTS : BINARY_NESTS);
    return splice(bytes, at, at, Buffer.alloc(unit.length * times, unit));
  }

  #replaceNumber(bytes: Buffer, from: number): Buffer {
    const start = bytes.findIndex((byte, index) => index >= from && byte >= 0x30 && byte <= 0x39);
    if (start < 0) return bytes;
    let end = start;
    while (end < bytes.length && bytes[end]! >= 0x30 && bytes[end]! <= 0x39) end += 1;
    const number = this.random.pick([
      '0',
      '1',
      '65535',
      '4294967295',
      '9007199254740991',
      '9007199254740992',
      '1e400',
      '-1',
      '2.5',
    ]);
    return splice(bytes, start, end, Buffer.from(number));
  }
}

const NOTHING = Buffer.alloc(0);

function flip(bytes: Buffer, at: number, bits: number): Buffer {
  if (at < bytes.length) bytes[at]! ^= bits;
  return bytes;
}

function set(bytes: Buffer, at: number, byte: number): Buffer {
  if (at < bytes.length) bytes[at] = byte;
  return bytes;
}

function splice(bytes: Buffer, start: number, end: number, put: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(end)]);
}
