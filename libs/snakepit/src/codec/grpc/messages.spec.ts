import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import * as protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';

import { ProtocolViolation } from '../failures.js';
import * as health from './generated/health.js';
import * as ancestor from './generated/snakepit-bridge.js';
import * as v2 from './generated/worker.js';
import { WireReader } from './wire.js';

type Encode = (message: object) => Buffer;
type Decode = (bytes: Uint8Array) => Record<string, unknown>;

const FILES = [
  { path: 'snakepit/v2/worker.proto', scope: 'snakepit.v2', code: v2 },
  { path: 'snakepit/v1/snakepit_bridge.proto', scope: 'snakepit', code: ancestor },
  { path: 'grpc/health/v1/health.proto', scope: 'grpc.health.v1', code: health },
] as const;

/** Every message of our .proto files, with protobufjs as a second opinion on its bytes. */
const MESSAGES = FILES.flatMap(({ path, scope, code }) => {
  const file = fileURLToPath(new URL(`../../../../../proto/${path}`, import.meta.url));
  const { root } = protobuf.parse(readFileSync(file, 'utf8'));
  const functions = code as unknown as Record<string, unknown>;
  return (root.lookup(scope) as protobuf.Namespace).nestedArray
    .filter((entry) => entry instanceof protobuf.Type)
    .map((type) => ({
      name: `${scope}.${type.name}`,
      type,
      encode: functions[`encode${type.name}`] as Encode,
      decode: functions[`decode${type.name}`] as Decode,
    }));
});

describe.each(MESSAGES)('$name', ({ type, encode, decode }) => {
  it('is read by protobufjs as it was written', () => {
    fc.assert(
      fc.property(messageOf(type), (message) => {
        expect(plain(type.decode(encode(message)), type)).toEqual(plain(message, type));
      }),
    );
  });

  it('reads what protobufjs writes', () => {
    fc.assert(
      fc.property(messageOf(type), (message) => {
        const bytes = type.encode(type.fromObject(plain(message, type) as object)).finish();
        expect(plain(decode(bytes), type)).toEqual(plain(message, type));
      }),
    );
  });

  it('reads any bytes as a message, or throws ProtocolViolation', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolViolation);
        }
      }),
    );
  });
});

describe('a message', () => {
  const request = v2.encodeCallRequest({ id: 7, commandName: 'add', body: Buffer.from('[1]'), meta: { session: 's' } });

  it('ends in the middle of a member wherever it is cut inside one', () => {
    const cuts = Array.from({ length: request.length }, (_, at) => request.subarray(0, at)).filter(
      (cut) => !reads(cut),
    );
    // Whole members may be missing from the end: 0, after id, after commandName, after body.
    expect(cuts).toHaveLength(request.length - 4);
  });

  it('is read without a copy of its bytes', () => {
    const { body } = v2.decodeCallRequest(request);
    expect(body.buffer).toBe(request.buffer);
  });

  it('is read although it has members of a later version', () => {
    // Field 2000 as varint, fixed 64, bytes, group and fixed 32.
    const later = '807d01817d0102030405060708827d02abcd837d0801847d857d01020304';
    const bytes = Buffer.concat([Buffer.from(later, 'hex'), request, Buffer.from(later, 'hex')]);
    expect(v2.decodeCallRequest(bytes)).toEqual(v2.decodeCallRequest(request));
  });

  it('may not hold an inner message that is longer than itself', () => {
    // HostBatch > messages, 4 bytes > ping, 5 bytes
    expect(() => v2.decodeHostBatch(Buffer.from('0a0432050801', 'hex'))).toThrow(ProtocolViolation);
  });

  it('may not hold a member that ends behind its inner message', () => {
    // CallRequest > meta, 3 bytes > session, 4 bytes, of which 3 belong to the request
    expect(() => v2.decodeCallRequest(Buffer.from('3a030a0461626364', 'hex'))).toThrow(ProtocolViolation);
  });

  it('keeps keys apart from the properties of objects', () => {
    const context = new Map([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    expect(v2.decodeCallMeta(v2.encodeCallMeta({ context })).context).toEqual(context);
  });

  const reads = (bytes: Buffer): boolean => {
    try {
      v2.decodeCallRequest(bytes);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(ProtocolViolation);
      return false;
    }
  };
});

it('refuses groups that are nested without end', () => {
  const reader = new WireReader(Buffer.alloc(10_000, 0x0b));
  expect(() => reader.skip(reader.varint())).toThrow(ProtocolViolation);
});

// --- messages of any shape -------------------------------------------------------------------------

/** Anything that the type's interface for encoding allows. */
function messageOf(type: protobuf.Type): fc.Arbitrary<object> {
  const members = type.fieldsArray.filter((field) => field.partOf === null || isOptional(field));
  const choices = type.oneofsArray.filter((choice) => !choice.fieldsArray.some(isOptional));
  const shape = Object.fromEntries(members.map((field) => [field.name, memberOf(field)]));
  const chosen = choices.map((choice) =>
    fc.oneof(...choice.fieldsArray.map((field) => fc.record({ [field.name]: memberOf(field) }))),
  );
  return fc
    .tuple(fc.record(shape, { requiredKeys: [] }), ...chosen)
    .map((parts) => Object.assign({}, ...parts) as object);
}

function isOptional(field: protobuf.Field): boolean {
  return field.options?.['proto3_optional'] === true;
}

function memberOf(field: protobuf.Field): fc.Arbitrary<unknown> {
  field.resolve();
  const value = valueOf(field);
  if (field instanceof protobuf.MapField) {
    return fc.array(fc.tuple(text(), value), { maxLength: 3 }).map((entries) => new Map(entries));
  }
  return field.repeated ? fc.array(value, { maxLength: 3 }) : value;
}

function valueOf(field: protobuf.Field): fc.Arbitrary<unknown> {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Type) return messageOf(resolvedType);
  if (resolvedType instanceof protobuf.Enum) return fc.constantFrom(...Object.values(resolvedType.values));
  switch (field.type) {
    case 'uint32':
      return fc.oneof(fc.nat({ max: 300 }), fc.integer({ min: 0, max: 0xffff_ffff }));
    case 'int32':
      return fc.integer();
    case 'int64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'bool':
      return fc.boolean();
    case 'double':
      return fc.double({ noNaN: true });
    case 'string':
      return text();
    case 'bytes':
      return fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    default:
      throw new Error(`a test for ${field.type} is missing`);
  }
}

const text = (): fc.Arbitrary<string> => fc.string({ unit: 'binary', maxLength: 200 });

/** One form for the messages of both libraries: maps as objects, 64 bits as text, what is not set left out. */
function plain(message: object, type: protobuf.Type): unknown {
  const members = message as Record<string, unknown>;
  const entries = type.fieldsArray.map((field): [string, unknown] => {
    field.resolve();
    // protobufjs puts the zeros of what is not set on its prototypes.
    const isSet = Object.hasOwn(members, field.name);
    return [field.name, isSet ? plainMember(members[field.name], field) : undefined];
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function plainMember(value: unknown, field: protobuf.Field): unknown {
  if (value === undefined || value === null) return undefined;
  if (field instanceof protobuf.MapField) {
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    if (entries.length === 0) return undefined;
    // As a list: '__proto__' is a good key on the wire.
    return Object.fromEntries(entries.map(([key, item]) => [key, plainValue(item, field)]));
  }
  if (field.repeated) {
    const list = value as readonly unknown[];
    return list.length === 0 ? undefined : list.map((item) => plainValue(item, field));
  }
  const single = plainValue(value, field);
  const hasPresence = field.resolvedType instanceof protobuf.Type || field.partOf !== null;
  return !hasPresence && isZero(single) ? undefined : single;
}

function plainValue(value: unknown, field: protobuf.Field): unknown {
  if (field.resolvedType instanceof protobuf.Type) return plain(value as object, field.resolvedType);
  if (field.type === 'int64') return String(value);
  if (field.type === 'bytes') return Buffer.from(value as Uint8Array);
  return value;
}

function isZero(value: unknown): boolean {
  if (Buffer.isBuffer(value)) return value.length === 0;
  return value === false || value === '' || value === '0' || Object.is(value, 0);
}
