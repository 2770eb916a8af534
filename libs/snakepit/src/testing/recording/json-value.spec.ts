import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fromJson, toJson } from './json-value.js';

const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.string(),
  fc.double(),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-01-01') }),
  fc.uint8Array(),
  fc.float32Array(),
);
const key = fc.oneof(fc.string(), fc.constantFrom('$bin', '$esc', '$int', '__proto__', 'constructor'));
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('value')), fc.dictionary(key, tie('value'), { maxKeys: 3 })),
}));

/** Views by their bytes, maps without their prototypes. */
function comparable(given: unknown): unknown {
  if (given instanceof Uint8Array) return { bytes: [...given] };
  if (Array.isArray(given)) return given.map(comparable);
  if (typeof given !== 'object' || given === null || given instanceof Date || ArrayBuffer.isView(given)) return given;
  return new Map(Object.entries(given).map(([name, member]) => [name, comparable(member)]));
}

describe('a value in a recording', () => {
  it('comes back as it was, through the text of a file', () => {
    fc.assert(
      fc.property(value, (given) => {
        const read = fromJson(JSON.parse(JSON.stringify(toJson(given))));
        expect(comparable(read)).toEqual(comparable(given));
      }),
    );
  });

  it('is written the same whatever the order of its keys, where they are sorted', () => {
    const a = toJson({ b: 1, a: [{ d: 1, c: 2 }] }, 'sorted');
    const b = toJson({ a: [{ c: 2, d: 1 }], b: 1 }, 'sorted');
    expect(JSON.stringify(a)).toBe(JSON.stringify(b));
    expect(JSON.stringify(toJson({ b: 1, a: 2 }))).toBe('{"b":1,"a":2}');
  });

  it('is refused with a tag that nobody knows', () => {
    expect(() => fromJson({ $what: 1 })).toThrow("'$what' is no tag");
  });
});
