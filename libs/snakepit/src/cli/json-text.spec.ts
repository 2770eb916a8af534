import { describe, expect, it } from 'vitest';

import { fromJsonText, toJsonText } from './json-text.js';

describe('JSON of the command line', () => {
  it.each([
    ['plain values', { a: [1, 'two', null, true], b: { c: 0.5 } }],
    ['integers beyond 2^53', [9_223_372_036_854_775_807n]],
    ['floats that JSON lacks', [NaN, Infinity, -Infinity, -0]],
    ['times', { at: new Date(0) }],
    ['binary', Buffer.from([0, 255, 7])],
    ['objects that look like tags', { $int: 'x' }],
    ['keys of the prototype', JSON.parse('{"__proto__": 1, "b": 2}')],
  ])('reads %s as it wrote them', (_, value) => {
    expect(fromJsonText(toJsonText(value))).toEqual(value);
  });

  it('writes typed arrays as lists', () => {
    expect(toJsonText({ series: new Float64Array([1, NaN]) })).toBe('{"series":[1,{"$float":"NaN"}]}');
  });

  it.each(['{"$int": "1.5"}', '{"$float": "2"}', '{"$time": "noon"}', '{"$base64": "?"}', '{"$new": 1}'])(
    'refuses %s, and says what there is',
    (text) => {
      expect(() => fromJsonText(text)).toThrow(/is no value: .*\$int.*\$float.*\$time.*\$base64.*\$esc/);
    },
  );
});
