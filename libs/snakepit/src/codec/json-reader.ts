import type { BinaryStore } from './binary.js';
import { describeValue } from './bounded-text.js';
import { checkJsonElements } from './element-limit.js';
import { ProtocolViolation } from './failures.js';
import { MAX_INTEGER, MIN_INTEGER } from './outgoing.js';
import { defineOwn } from './msgpack-decoder.js';
import { elementTypeNamed, viewOf } from './typed-array.js';
import { decodeUtf8, isSendable } from './utf8.js';

const RFC3339_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;
const DIGITS = /^-?(?:0|[1-9]\d{0,19})$/;

/** An escape that may stand for a surrogate: only then can a parsed string be malformed. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/** A body is no JSON text at all. */
export class NotJson extends ProtocolViolation {}

/** What bounds a body, beside its size. */
export interface ReadLimits {
  readonly maxDepth: number;
  readonly maxElements: number;
}

export function readPlainJson(bytes: Buffer, start: number, end: number, limits: ReadLimits): unknown {
  const { maxDepth, maxElements } = limits;
  checkJsonElements(bytes, start, end, maxElements);
  const text = decodeUtf8(bytes, start, end);
  const value = parse(text);
  const mayHoldSurrogates = text.includes('\\u') && SURROGATE_ESCAPE.test(text);
  // Each level takes two brackets, so a short text cannot be too deep.
  if (mayHoldSurrogates || text.length > maxDepth * 2) checkTree(value, maxDepth, mayHoldSurrogates);
  return value;
}

export function readTaggedJson(
  bytes: Buffer,
  start: number,
  end: number,
  { maxDepth, maxElements }: ReadLimits,
  store: BinaryStore | undefined,
): unknown {
  if (end - start < 4) throw new ProtocolViolation('a tagged body ends early');
  const textStart = start + 4;
  const textEnd = textStart + bytes.readUInt32BE(start);
  if (textEnd > end) throw new ProtocolViolation('the text of a tagged body ends early');
  checkJsonElements(bytes, textStart, textEnd, maxElements);
  const text = decodeUtf8(bytes, textStart, textEnd);
  const attachments = new Attachments(bytes.subarray(textEnd, end));
  const value = untag(parse(text), { attachments, store, depthLeft: maxDepth });
  if (SURROGATE_ESCAPE.test(text)) checkTree(value, maxDepth, true);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new NotJson(`a body is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function checkTree(value: unknown, depthLeft: number, checksStrings: boolean): void {
  if (typeof value === 'string') {
    if (checksStrings) checkString(value);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (ArrayBuffer.isView(value) || value instanceof Date) return;
  if (depthLeft === 0) refuseDepth();
  if (Array.isArray(value)) {
    for (const item of value) checkTree(item, depthLeft - 1, checksStrings);
    return;
  }
  for (const key of Object.keys(value)) {
    if (checksStrings) checkString(key);
    checkTree((value as Record<string, unknown>)[key], depthLeft - 1, checksStrings);
  }
}

function checkString(value: string): void {
  if (!isSendable(value)) throw new ProtocolViolation('a string holds a lone surrogate');
}

function refuseDepth(): never {
  throw new ProtocolViolation('a value is nested deeper than maxDepth');
}

interface Reading {
  readonly attachments: Attachments;
  readonly store: BinaryStore | undefined;
  readonly depthLeft: number;
}

/** Replaces the tags in a parsed value, in place. */
function untag(value: unknown, reading: Reading): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const inner = below(reading);
    for (let index = 0; index < value.length; index += 1) value[index] = untag(value[index], inner);
    return value;
  }
  const keys = Object.keys(value);
  const tag = keys[0];
  if (keys.length !== 1 || !tag!.startsWith('$')) return untagMap(value, keys, reading);
  const content = (value as Record<string, unknown>)[tag!];
  switch (tag) {
    case '$int':
      return readInteger(content);
    case '$float':
      return readFloat(content);
    case '$time':
      return readTime(content);
    case '$bin':
      return readBinary(content, reading.attachments);
    case '$shm':
      return readReference(content, reading.store);
    case '$typed':
      return readTyped(content, reading);
    case '$esc':
      if (typeof content !== 'object' || content === null || Array.isArray(content)) return refuseTag(tag, content);
      return untagMap(content, Object.keys(content), reading);
    default:
      throw new ProtocolViolation(`unknown tag ${describeValue(tag)}`);
  }
}

function untagMap(map: object, keys: readonly string[], reading: Reading): unknown {
  const inner = below(reading);
  const values = map as Record<string, unknown>;
  for (const key of keys) {
    const value = values[key];
    if (typeof value !== 'object' || value === null) continue;
    const read = untag(value, inner);
    if (read !== value) defineOwn(map, key, read);
  }
  return map;
}

function below(reading: Reading): Reading {
  if (reading.depthLeft === 0) refuseDepth();
  return { attachments: reading.attachments, store: reading.store, depthLeft: reading.depthLeft - 1 };
}

function readInteger(content: unknown): number | bigint {
  if (typeof content !== 'string' || !DIGITS.test(content)) return refuseTag('$int', content);
  const integer = BigInt(content);
  if (integer < MIN_INTEGER || integer > MAX_INTEGER) return refuseTag('$int', content);
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : integer;
}

function readFloat(content: unknown): number {
  switch (content) {
    case 'NaN':
      return NaN;
    case 'Infinity':
      return Infinity;
    case '-Infinity':
      return -Infinity;
    case '-0':
      return -0;
    default:
      return refuseTag('$float', content);
  }
}

function readTime(content: unknown): Date {
  if (typeof content !== 'string' || !RFC3339_UTC.test(content)) return refuseTag('$time', content);
  const date = new Date(content);
  // A day that the month lacks would roll over into the next month.
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 19) !== content.slice(0, 19)) {
    return refuseTag('$time', content);
  }
  return date;
}

/** The binary behind the text, of which each byte is handed out once: a reference takes far fewer bytes than what it refers to. */
class Attachments {
  #left: number;

  constructor(private readonly bytes: Buffer) {
    this.#left = bytes.length;
  }

  /** A copy; undefined for what is not there, or was handed out. */
  take(offset: number, length: number): Buffer | undefined {
    if (offset + length > this.bytes.length || length > this.#left) return undefined;
    this.#left -= length;
    return Buffer.from(this.bytes.subarray(offset, offset + length));
  }
}

function readBinary(content: unknown, attachments: Attachments): Buffer {
  return attachments.take(...readPlace('$bin', content)) ?? refuseTag('$bin', content);
}

function readReference(content: unknown, store: BinaryStore | undefined): Buffer {
  if (store === undefined) throw new ProtocolViolation('a reference to an arena that was not agreed on');
  return store.get(...readPlace('$shm', content));
}

function readTyped(content: unknown, { attachments, store }: Reading): ArrayBufferView {
  if (!Array.isArray(content) || content.length !== 2) return refuseTag('$typed', content);
  const [name, tagged] = content as [unknown, unknown];
  const code = elementTypeNamed(name);
  if (typeof tagged !== 'object' || tagged === null) return refuseTag('$typed', content);
  const [[tag, place] = [], ...others] = Object.entries(tagged);
  if (others.length > 0) return refuseTag('$typed', content);
  // Nothing but these two, so that tags cannot be nested in one another.
  if (tag === '$bin') return viewOf(code, readBinary(place, attachments));
  return tag === '$shm' ? viewOf(code, readReference(place, store)) : refuseTag('$typed', content);
}

function readPlace(tag: string, content: unknown): [offset: number, length: number] {
  if (!Array.isArray(content) || content.length !== 2) return refuseTag(tag, content);
  const [offset, length] = content as [unknown, unknown];
  return isLength(offset) && isLength(length) ? [offset, length] : refuseTag(tag, content);
}

function isLength(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function refuseTag(tag: string, content: unknown): never {
  throw new ProtocolViolation(`bad content of tag ${tag}: ${describePlace(content)}`);
}

function describePlace(content: unknown): string {
  return Array.isArray(content) ? content.slice(0, 3).map(describeValue).join(', ') : describeValue(content);
}
