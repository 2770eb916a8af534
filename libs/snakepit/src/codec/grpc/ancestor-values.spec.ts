import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { EncodeError, ProtocolViolation } from '../failures.js';
import { AncestorValues } from './ancestor-values.js';

const values = new AncestorValues({ maxDepth: 4 });

/** What arguments look like on the wire. */
function written(args: unknown): Record<string, string> {
  return Object.fromEntries([...values.encodeArguments(args)].map(([name, bytes]) => [name, String(bytes)]));
}

function read(members: Record<string, string | Buffer>): Record<string, unknown> {
  return values.decodeMembers(new Map(Object.entries(members).map(([name, bytes]) => [name, Buffer.from(bytes)])));
}

describe('arguments of the ancestor’s gRPC service', () => {
  it.each([
    ['text', 'text'],
    ['2026-01-31', '2026-01-31'],
    ['5 apples', '5 apples'],
    ['{curly}', '{curly}'],
    ['', ''],
    ['5', '"5"'],
    [' 5 ', '" 5 "'],
    ['true', '"true"'],
    ['null', '"null"'],
    ['NaN', '"NaN"'],
    ['-Infinity', '"-Infinity"'],
    ['[1, NaN]', '"[1, NaN]"'],
    ['{"a": "NaN"}', String.raw`"{\"a\": \"NaN\"}"`],
    ['"quoted"', String.raw`"\"quoted\""`],
    [5, '5'],
    [null, 'null'],
    [['a', 1], '["a",1]'],
    [{ a: { b: [] } }, '{"a":{"b":[]}}'],
  ])('write %j as %s', (value, expected) => {
    expect(written({ value })).toEqual({ value: expected });
  });

  it('may be nothing, what toJSON gives, or the properties of an object, and leave out what is undefined', () => {
    class Point {
      x = 1;
    }
    expect(written(undefined)).toEqual({});
    expect(written(null)).toEqual({});
    expect(written(new Point())).toEqual({ x: '1' });
    expect(written({ toJSON: () => ({ y: 2, z: undefined }) })).toEqual({ y: '2' });
  });

  it('keep binary of every kind as its bytes', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    for (const binary of [bytes, Buffer.from(bytes), bytes.buffer, new Uint16Array(bytes.buffer)]) {
      expect(Buffer.from(values.encodeArguments({ binary }).get('binary')!)).toEqual(Buffer.from(bytes));
    }
  });

  it.each([
    [[1], /^args: is no map/],
    ['text', /^args: is no map/],
    [new Date(), /^args: is no map/],
    [Buffer.of(1), /^args: is no map/],
    [new Map(), /^args: is a Map/],
    [{ a: { b: { c: { d: {} } } } }, /^args\.a\.b\.c\.d: is nested deeper than maxDepth \(4\)/],
    [{ a: 1n << 60n }, /^args\.a: is a 64-bit integer/],
    [{ a: '\ud800' }, /^args\.a: is a string with a lone surrogate/],
    [{ '\ud800': 1 }, /^args: is a string with a lone surrogate/],
  ])('are refused for %o', (args, message) => {
    expect(() => values.encodeArguments(args)).toThrow(EncodeError);
    expect(() => values.encodeArguments(args)).toThrow(message);
  });
});

describe('results of the ancestor’s gRPC service', () => {
  it('are JSON where they are that, else text, else binary', () => {
    const raw = Buffer.of(0xff, 0x00);
    const members = { number: '5', text: 'plain', list: ' [1, {"a": null}] ', broken: '{"a":', raw, empty: '' };
    expect(read(members)).toEqual({
      number: 5,
      text: 'plain',
      list: [1, { a: null }],
      broken: '{"a":',
      raw,
      empty: '',
    });
  });

  it('have the floats that Python writes into JSON, and strings that look like them', () => {
    expect(read({ a: 'NaN', b: '-Infinity', c: '{"x": [NaN, "NaN", {"y": Infinity}], "NaN": 1}' })).toEqual({
      a: Number.NaN,
      b: -Infinity,
      c: { x: [Number.NaN, 'NaN', { y: Infinity }], NaN: 1 },
    });
    expect(read({ a: 'NaN is not a number', b: '[NaN, "\u{10ffff}NaN"]' })).toEqual({
      a: 'NaN is not a number',
      b: '[NaN, "\u{10ffff}NaN"]',
    });
  });

  it('touch no prototype', () => {
    const map = read({ ['__proto__']: '{"polluted": NaN}' });
    expect(Object.keys(map)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.keys(read({ a: '{"__proto__": NaN}' })['a'] as object)).toEqual(['__proto__']);
  });

  it('that are nested too deep, or hold too many values, are a violation', () => {
    expect(() => read({ a: '['.repeat(9) + ']'.repeat(9) })).toThrow(ProtocolViolation);
    const few = new AncestorValues({ maxDepth: 4, maxElements: 10 });
    const many = Buffer.from(JSON.stringify(Array.from({ length: 20 }, () => 1)));
    expect(() => few.decodeMembers(new Map([['a', many]]))).toThrow(ProtocolViolation);
  });
});

it('whatever plain JSON can carry comes back as it was', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.json(),
    fc.constantFrom('NaN', '[Infinity]', ' 1', '\ufeff1'),
  );
  const plain = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 2 }, text, fc.boolean(), fc.constant(null), fc.integer(), tie('list'), tie('map')),
    list: fc.array(tie('value'), { maxLength: 3 }),
    map: fc.dictionary(text, tie('value'), { maxKeys: 3 }),
  })).value;
  const roundTrip = fc.property(fc.dictionary(text, plain, { maxKeys: 5 }), (args) => {
    const members = new Map([...values.encodeArguments(args)].map(([name, bytes]) => [name, Buffer.from(bytes)]));
    expect(values.decodeMembers(members)).toEqual({ ...args });
  });
  fc.assert(roundTrip, { numRuns: 500 });
});
