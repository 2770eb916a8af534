import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bytesOf, dataMap, snapshot, withKey, withoutKey } from './data-map.js';

const limits = { path: 'args.value', command: 'session.write', maxValueBytes: 10_000 };

describe('snapshot', () => {
  it('is a deeply frozen copy that changes to the original do not reach', () => {
    const original = { list: [{ n: 1 }], bytes: new Uint8Array([1]), time: new Date(5) };
    const copy = snapshot(original, limits) as typeof original;
    original.list[0]!.n = 2;
    original.bytes[0] = 2;
    original.time.setTime(6);
    expect(copy).toEqual({ list: [{ n: 1 }], bytes: new Uint8Array([1]), time: new Date(5) });
    expect(Object.isFrozen(copy) && Object.isFrozen(copy.list) && Object.isFrozen(copy.list[0])).toBe(true);
  });

  it('does not copy a snapshot again', () => {
    const first = snapshot({ a: 1 }, limits);
    expect(snapshot(first, limits)).toBe(first);
  });

  it('copies bytes out of a pooled Buffer', () => {
    const copy = snapshot(Buffer.from('abc'), limits) as Uint8Array;
    expect(copy.constructor).toBe(Uint8Array);
    expect(copy.buffer.byteLength).toBe(3);
  });

  it('leaves out undefined members and turns undefined items into null', () => {
    expect(snapshot({ a: undefined, b: [undefined] }, limits)).toEqual({ b: [null] });
  });

  it('keeps a __proto__ key as a key', () => {
    const copy = snapshot(JSON.parse('{"__proto__": {"isAdmin": true}}'), limits) as Record<string, unknown>;
    expect(Object.keys(copy)).toEqual(['__proto__']);
    expect(copy['isAdmin']).toBeUndefined();
  });

  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  it.each([
    ['a function', { a: [0, () => 1] }, "'args.value.a[1]' is a function"],
    ['a class instance', { a: new Map() }, "'args.value.a' is an instance of Map"],
    ['undefined itself', undefined, "'args.value' is undefined"],
    ['a bigint over 64 bits', [2n ** 64n], "'args.value[0]' is an integer of more than 64 bits"],
    ['a cycle', cycle, 'holds itself'],
    ['a value over the limit', 'x'.repeat(10_000), 'larger than 10000 bytes'],
  ])('refuses %s with the path to it', (_, value, message) => {
    expect(() => snapshot(value, limits)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENTS', message: expect.stringContaining(message) }),
    );
  });

  it('checks the depth of a map that is stored within itself again and again', () => {
    let map = dataMap({}, limits);
    const nest = (): void => {
      for (let round = 0; round < 100; round += 1) {
        map = withKey(dataMap({}, limits), 'inner', snapshot(map, { ...limits, maxValueBytes: Infinity }));
      }
    };
    expect(nest).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENTS' }));
  });
});

describe('a data map', () => {
  it('has no keys but its own', () => {
    expect(dataMap({}, limits)['constructor']).toBeUndefined();
  });

  it('keeps its size by every change as if it were measured afresh', () => {
    const change = fc.record({
      key: fc.oneof(fc.constantFrom('__proto__', 'a', 'b'), fc.string()),
      value: fc.option(fc.jsonValue(), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const wide = { ...limits, maxValueBytes: Infinity };
        let map = dataMap({}, wide);
        const model = new Map<string, unknown>();
        for (const { key, value } of changes) {
          if (value === undefined) {
            map = withoutKey(map, key);
            model.delete(key);
          } else {
            map = withKey(map, key, snapshot(value, wide));
            model.set(key, value);
          }
        }
        expect(Object.keys(map).toSorted()).toEqual([...model.keys()].toSorted());
        for (const [key, value] of model) expect(JSON.stringify(map[key])).toBe(JSON.stringify(value));
        const fresh = Object.assign(Object.create(null), structuredClone({ ...map })) as Record<string, unknown>;
        expect(bytesOf(map)).toBe(bytesOf(fresh));
      }),
    );
  });
});
