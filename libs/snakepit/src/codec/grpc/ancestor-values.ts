import { isUtf8 } from 'node:buffer';

import { ByteWriter } from '../byte-writer.js';
import type { CodecLimits } from '../codec.js';
import { MAX_ELEMENTS } from '../element-limit.js';
import { EncodeError } from '../failures.js';
import { JsonCodec } from '../json-codec.js';
import { NotJson, readPlainJson, type ReadLimits } from '../json-reader.js';
import { defineOwn } from '../msgpack-decoder.js';
import { bytesOf, checkString, classify, hasToJson, memberPath, toEncodeError } from '../outgoing.js';
import { markPythonFloats, unmarkPythonFloats } from './python-floats.js';

/** How JSON text can begin, as Python reads it. */
const JSON_START = /^[ \t\n\r]*["{[\-0-9tfnNI]/;
/** A member stands one level below the map of all. */
const MEMBER_DEPTH = -1;

/** Values as the ancestor's gRPC service has them: maps from names to bytes; see "Values" of it in proto/PROTOCOL.md. */
export class AncestorValues {
  readonly #codec: JsonCodec;
  readonly #limits: ReadLimits;
  readonly #out = new ByteWriter();

  constructor({ maxDepth, maxElements = MAX_ELEMENTS }: CodecLimits) {
    this.#codec = new JsonCodec({ maxDepth }, { plainJson: true });
    this.#limits = { maxDepth, maxElements };
  }

  /** @throws EncodeError for arguments that are no map, and naming a member that has no form */
  encodeArguments(args: unknown): Map<string, Uint8Array> {
    const members = new Map<string, Uint8Array>();
    for (const [name, member] of Object.entries(membersOf(args))) {
      if (member === undefined) continue;
      sendable(() => checkString(name), 'args');
      members.set(name, this.#encodeMember(member, memberPath('args', name)));
    }
    return members;
  }

  /** A result, or a chunk. @throws ProtocolViolation for one that exceeds the limits */
  decodeMembers(members: ReadonlyMap<string, Buffer>): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    for (const [name, bytes] of members) {
      const value = this.#decodeMember(bytes);
      if (name === '__proto__') defineOwn(map, name, value);
      else map[name] = value;
    }
    return map;
  }

  #encodeMember(member: unknown, path: string): Uint8Array {
    if (typeof member === 'string' && !isJson(member)) {
      sendable(() => checkString(member), path);
      return Buffer.from(member, 'utf8');
    }
    if (ArrayBuffer.isView(member)) return bytesOf(member);
    if (member instanceof ArrayBuffer || member instanceof SharedArrayBuffer) return new Uint8Array(member);
    this.#out.rollback(0);
    this.#codec.encode(member, this.#out, path, MEMBER_DEPTH);
    return this.#out.take();
  }

  #decodeMember(bytes: Buffer): unknown {
    if (!isUtf8(bytes)) return bytes;
    const text = bytes.toString('utf8');
    if (!JSON_START.test(text)) return text;
    const json = this.#tryJson(bytes);
    if (json !== undefined) return json.value;
    const marked = markPythonFloats(text);
    const floats = marked === undefined ? undefined : this.#tryJson(Buffer.from(marked, 'utf8'));
    return floats === undefined ? text : unmarkPythonFloats(floats.value);
  }

  #tryJson(bytes: Buffer): { readonly value: unknown } | undefined {
    try {
      return { value: readPlainJson(bytes, 0, bytes.length, this.#limits) };
    } catch (error) {
      if (error instanceof NotJson) return undefined;
      throw error;
    }
  }
}

function membersOf(args: unknown): object {
  if (args === undefined || args === null) return {};
  if (typeof args === 'object' && !Array.isArray(args)) {
    if (isPlain(args)) return hasToJson(args) ? inPlace(args.toJSON()) : args;
    const outgoing = sendable(() => classify(args), 'args');
    if (outgoing.kind === 'properties') return outgoing.object;
    if (outgoing.kind === 'instead') return inPlace(outgoing.value);
  }
  throw noMap();
}

/** What a `toJSON` gave is asked for no other one. */
function inPlace(value: unknown): object {
  if (typeof value === 'object' && value !== null && isPlain(value)) return value;
  throw noMap();
}

function noMap(): EncodeError {
  return new EncodeError('args', "is no map, the only form that the ancestor's gRPC service has; send { name: value }");
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function sendable<Value>(check: () => Value, path: string): Value {
  try {
    return check();
  } catch (thrown) {
    throw toEncodeError(thrown, path);
  }
}

/** Whether a bridge would take a bare text for the JSON that it is. */
function isJson(text: string): boolean {
  return JSON_START.test(text) && (parses(text) || parses(markPythonFloats(text)));
}

function parses(text: string | undefined): boolean {
  if (text === undefined) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
