import { describe, expect, it } from 'vitest';

import { sizeOfArguments } from './argument-size.js';

const KB = 1_024;

describe('the estimated size of arguments', () => {
  it.each([
    ['a string', 'x'.repeat(KB), KB],
    ['binary', Buffer.alloc(KB), KB],
    ['a typed array', new Float64Array(KB / 8), KB],
    ['an ArrayBuffer', new ArrayBuffer(KB), KB],
    ['a list of numbers', Array.from({ length: KB / 8 }, (_, index) => index), KB],
    ['a list of strings', Array.from({ length: 1_000 }, () => 'x'.repeat(100)), 108_000],
    ['members', { a: 'x'.repeat(KB), b: { c: Buffer.alloc(KB) } }, 2 * KB],
    [
      'a map of many members',
      Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`k${n}`, 'x'.repeat(92)])),
      1e4,
    ],
    ['a Map', new Map([['a', 'x'.repeat(KB)]]), KB],
    ['a Set', new Set(['x'.repeat(KB)]), KB],
  ])('is about right for %s', (_, args, bytes) => {
    expect(sizeOfArguments(args)).toBeGreaterThanOrEqual(bytes * 0.95);
    expect(sizeOfArguments(args)).toBeLessThan(bytes * 1.2 + 100);
  });

  it('is small for what is small', () => {
    for (const args of [undefined, null, 1, true, 'abc', {}, [], { a: 1, b: 2 }, new Map(), new Set()]) {
      expect(sizeOfArguments(args)).toBeLessThan(64);
      expect(sizeOfArguments(args)).toBeGreaterThan(0);
    }
  });

  it('looks at few values of a list that is long, nested or refers to itself', () => {
    let looks = 0;
    const item = () => ({
      get value() {
        looks += 1;
        return 'x';
      },
    });
    sizeOfArguments(Array.from({ length: 100 }, () => Array.from({ length: 1_000 }, item)));
    expect(looks).toBeLessThan(64);
    const endless: unknown[] = [];
    for (let count = 0; count < 20; count += 1) endless.push(endless);
    expect(sizeOfArguments(endless)).toBeGreaterThan(0);
  });

  it('leaves it to the encoder to tell of a getter that throws', () => {
    const args = {
      get broken(): never {
        throw new Error('not now');
      },
    };
    expect(sizeOfArguments(args)).toBeGreaterThan(0);
  });
});
