import { deepStrictEqual } from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';

import { ByteWriter, createCodec, EncodeError, Flag, ProtocolViolation, type Codec } from './index.js';

const json = createCodec('json', { maxDepth: 64 });
const msgpack = createCodec('msgpack', { maxDepth: 64 });
const plainJson = createCodec('json', { maxDepth: 64 }, { plainJson: true });

function roundTrip(codec: Codec, value: unknown): unknown {
  const out = new ByteWriter(16);
  const flags = codec.encode(value, out);
  const bytes = out.take();
  const decoded = codec.decode(bytes, 0, bytes.length, flags);
  bytes.fill(0xff);
  return decoded;
}

function refusal(codec: Codec, value: unknown): EncodeError {
  try {
    codec.encode(value, new ByteWriter());
  } catch (error) {
    if (error instanceof EncodeError) return error;
    throw error;
  }
  throw new Error('it was encoded');
}

const text = fc.string({ unit: 'binary' });
const scalar = fc.oneof(
  text,
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
  fc.date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
);
const key = fc.oneof(text, fc.constantFrom('$int', '$bin', '$esc', '$', '__proto__', 'constructor', 'toJSON'));
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, scalar, tie('list'), tie('map')),
  list: fc.array(tie('value'), { maxLength: 20 }),
  map: fc.dictionary(key, tie('value'), { maxKeys: 20, noNullPrototype: true }),
}));

describe.each([json, msgpack])('$name', (codec) => {
  it('gives back every value it was given', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        // vitest's own comparison stumbles over a key named `constructor`.
        deepStrictEqual(roundTrip(codec, value), value);
      }),
      { numRuns: 1000 },
    );
  });

  it('meets arbitrary bytes with a value or a ProtocolViolation', () => {
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((document) => Buffer.from(document)),
      fc.tuple(fc.json(), fc.uint8Array()).map(([document, rest]) => {
        const body = Buffer.concat([Buffer.alloc(4), Buffer.from(document), rest]);
        body.writeUInt32BE(Buffer.byteLength(document));
        return body;
      }),
    );
    fc.assert(
      fc.property(bodies, fc.constantFrom(0, Flag.TAGGED), (body, flags) => {
        const bytes = Buffer.from(body);
        try {
          codec.decode(bytes, 0, bytes.length, flags);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolViolation);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('meets a mutilated body with a value or a ProtocolViolation', () => {
    fc.assert(
      fc.property(anyValue, fc.nat(), fc.integer({ min: 0, max: 255 }), (value, place, byte) => {
        const out = new ByteWriter();
        const flags = codec.encode(value, out);
        const bytes = out.take();
        bytes[place % bytes.length] = byte;
        try {
          codec.decode(bytes, 0, bytes.length - (byte % 2), flags);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolViolation);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['a property without a value', { a: undefined, b: 1 }, { b: 1 }],
    ['many properties without a value', manyUndefined(), { k19: 19 }],
    ['undefined in a list', [undefined, 1], [null, 1]],
    ['a hole in a list', [, 1], [null, 1]], // oxlint-disable-line no-sparse-arrays
    ['undefined itself', undefined, null],
    ['a small bigint', 5n, 5],
    ['a 16-bit view', new Uint16Array([1, 258]), Buffer.from(new Uint16Array([1, 258]).buffer)],
    ['a view into the middle of a buffer', new Uint8Array([1, 2, 3, 4]).subarray(1, 3), Buffer.from([2, 3])],
    ['a DataView', new DataView(new Uint8Array([1, 2, 3]).buffer, 1), Buffer.from([2, 3])],
    ['an ArrayBuffer', new Uint8Array([7, 8]).buffer, Buffer.from([7, 8])],
    ['an instance by its own properties', new Point(1, 2), { x: 1, y: 2 }],
    ['an object with toJSON', { toJSON: () => ({ at: new Date(5) }) }, { at: new Date(5) }],
    ['an instance with toJSON', [new Money(5)], ['5 EUR']],
    ['a toJSON whose result has one', { a: spreading() }, { a: { x: 1 } }],
    ['a URL', new URL('http://example.org/a'), 'http://example.org/a'],
    ['a boxed number', Object(5), 5],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ])('sends %s', (_, value, received) => {
    expect(roundTrip(codec, value)).toStrictEqual(received);
  });

  it('leaves what it is given as it is', () => {
    const value = Object.freeze({ list: Object.freeze([1n, undefined, new Date(0)]), $only: { $x: 1 } });
    roundTrip(codec, value);
    expect(value.list).toEqual([1n, undefined, new Date(0)]);
  });

  it.each([
    ['a function', { items: [1, { callback() {} }] }, 'args.items[1].callback', /function/],
    ['a symbol', [Symbol('s')], 'args[0]', /symbol/],
    ['a Map', { m: new Map() }, 'args.m', /Object\.fromEntries/],
    ['a Set', { s: new Set() }, 'args.s', /\[\.\.\.set\]/],
    ['a Promise', { 'user id': Promise.resolve() }, 'args["user id"]', /await/],
    ['a RegExp', [[/x/]], 'args[0][0]', /RegExp/],
    ['a WeakMap', new WeakMap(), 'args', /WeakMap/],
    ['an Error', { cause: new TypeError('x') }, 'args.cause', /Error/],
    ['an invalid Date', { at: new Date(NaN) }, 'args.at', /invalid Date/],
    ['an integer over 64 bits', { n: 2n ** 64n }, 'args.n', /2\^64/],
    ['an integer under 64 bits', { n: -(2n ** 63n) - 1n }, 'args.n', /2\^63/],
    ['a lone surrogate', { s: 'a\ud800' }, 'args.s', /surrogate/],
    ['a lone surrogate in a long string', { s: `${'x'.repeat(100)}\udc00` }, 'args.s', /surrogate/],
    ['a generator', (function* () {})(), 'args', /generator/],
  ])('refuses %s, naming the place and the remedy', (_, value, path, reason) => {
    const error = refusal(codec, value);
    expect(error.path).toBe(path);
    expect(error.reason).toMatch(reason);
    expect(error.message).toBe(`${path}: ${error.reason}`);
  });

  it('refuses a key with a lone surrogate', () => {
    expect(refusal(codec, { a: { 'b\ud800': 1 } }).path).toContain('args.a');
  });

  it('names a cycle', () => {
    const value: { list: object[] } = { list: [{}] };
    Object.assign(value.list[0]!, { parent: value.list });
    const error = refusal(codec, value);
    expect(error.path).toBe('args.list[0].parent');
    expect(error.reason).toMatch(/cycle.*args\.list;/);
  });

  it('sends an object that occurs twice without being a cycle', () => {
    const shared = { x: 1 };
    expect(roundTrip(codec, [shared, shared])).toEqual([{ x: 1 }, { x: 1 }]);
  });

  it('sends maxDepth levels and refuses one more', () => {
    const shallow = createCodec(codec.name, { maxDepth: 3 });
    expect(roundTrip(shallow, [{ a: [1] }])).toEqual([{ a: [1] }]);
    const error = refusal(shallow, [{ a: [[1]] }]);
    expect(error.path).toBe('args[0].a[0]');
    expect(error.reason).toMatch(/maxDepth \(3\)/);
  });

  it('counts depth and paths of arguments from the arguments when meta goes before them', () => {
    const shallow = createCodec(codec.name, { maxDepth: 2 });
    const out = new ByteWriter();
    const flags = shallow.encodeWithMeta({ session: 's' }, { a: [1, 2n ** 63n] }, out);
    const bytes = out.take();
    expect(shallow.decode(bytes, 0, bytes.length, flags)).toEqual([{ session: 's' }, { a: [1, 2n ** 63n] }]);
    expect(() => shallow.encodeWithMeta({}, { a: [() => {}] }, out)).toThrow('args.a[0]');
  });

  it('keeps __proto__ from the wire out of prototypes', () => {
    const value: unknown = JSON.parse('{"__proto__":{"admin":true},"a":{"__proto__":5}}');
    const decoded = roundTrip(codec, value) as Record<string, unknown>;
    expect(Object.hasOwn(decoded, '__proto__')).toBe(true);
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
    expect((decoded as { admin?: unknown }).admin).toBeUndefined();
  });

  it('is as good as new after a refused body', () => {
    expect(() => codec.decode(Buffer.from('ff', 'hex'), 0, 1, Flag.TAGGED)).toThrow(ProtocolViolation);
    expect(roundTrip(codec, { a: 1 })).toEqual({ a: 1 });
  });

  it('encodes one after another into one output', () => {
    const out = new ByteWriter(12);
    const ends = [{ a: 'x'.repeat(5000) }, ['é'.repeat(3000)], Buffer.alloc(70_000, 1)].map((value) => {
      const start = out.position;
      return { value, start, flags: codec.encode(value, out), end: out.position };
    });
    const bytes = out.take();
    for (const { value, start, flags, end } of ends) {
      expect(codec.decode(bytes, start, end, flags)).toStrictEqual(value);
    }
  });
});

describe('plain JSON of protocol v1', () => {
  it.each([[new Date(0)], [Buffer.from('x')], [2n ** 60n], [NaN], [Infinity]])('refuses %s with a remedy', (value) => {
    const error = refusal(plainJson, { value });
    expect(error.path).toBe('args.value');
    expect(error.reason).toMatch(/msgpack/);
  });

  it('sends -0 as 0 and a map that looks like a tag as it is', () => {
    expect(roundTrip(plainJson, [-0, { $int: '5' }])).toEqual([0, { $int: '5' }]);
  });

  it('refuses a tagged body', () => {
    expect(() => plainJson.decode(Buffer.from('00000000', 'hex'), 0, 4, Flag.TAGGED)).toThrow(ProtocolViolation);
  });
});

describe('JSON text', () => {
  it('refuses a lone surrogate that is escaped', () => {
    const bytes = Buffer.from(String.raw`{"a":"\ud800"}`);
    expect(() => json.decode(bytes, 0, bytes.length, 0)).toThrow(/surrogate/);
  });
});

class Point {
  static readonly origin = 0;
  readonly skipped = undefined;
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
  get length(): number {
    return Math.hypot(this.x, this.y);
  }
}

class Money {
  constructor(private readonly euros: number) {}
  toJSON(): string {
    return `${this.euros} EUR`;
  }
}

function spreading(): object {
  const object = { x: 1, toJSON: (): object => ({ ...object }) };
  return object;
}

function manyUndefined(): object {
  return Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, index === 19 ? 19 : undefined]));
}
