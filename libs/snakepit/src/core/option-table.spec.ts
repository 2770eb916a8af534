import { describe, expect, expectTypeOf, it } from 'vitest';

import {
  describeValue,
  isPlainObject,
  option,
  resolveOptions,
  type OptionsInput,
  type OptionsResolved,
} from './option-table.js';
import { isSnakepitError, type SnakepitError } from './errors.js';

const limits = {
  soft: option.integer({ doc: 'Soft.', unit: 'ms', min: 1, max: 9, default: 5 }),
  hard: option.integer({ doc: 'Hard.', min: 0, max: 100 }),
};
const optionalLimits = { soft: limits.soft };
const table = {
  name: option.string({ doc: 'Name.' }),
  size: option.integer({ doc: 'Size.', min: 1, max: 8, default: 4 }),
  eager: option.boolean({ doc: 'Eager.', default: false }),
  mode: option.oneOf(['on', 'off'], { doc: 'Mode.', default: 'on' }),
  tags: option.strings({ doc: 'Tags.', default: [] }),
  env: option.stringMap({ doc: 'Env.', default: {} }),
  ranks: option.integerMap({ doc: 'Ranks.', min: 1, max: 9, default: {} }),
  at: option.value<Date>((given): given is Date => given instanceof Date, 'a Date', {
    doc: 'At.',
    default: () => new Date(0),
  }),
  limits: option.group(optionalLimits, { doc: 'Limits.' }),
  many: option.namedGroups(limits, { doc: 'Many.', entry: 'limit' }),
};
const valid = { name: 'x', many: {} };

function refusal(given: unknown): SnakepitError {
  try {
    resolveOptions(table, given);
  } catch (error) {
    if (isSnakepitError(error, 'INVALID_OPTIONS')) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a toggle', () => {
  const toggles = {
    off: option.toggle(optionalLimits, { doc: 'Off.' }),
    on: option.toggle(optionalLimits, { doc: 'On.', isOn: true }),
  };

  it.each([
    [{}, { off: false, on: { soft: 5 } }],
    [
      { off: true, on: true },
      { off: { soft: 5 }, on: { soft: 5 } },
    ],
    [
      { off: { soft: 1 }, on: false },
      { off: { soft: 1 }, on: false },
    ],
  ])('given as %j is %j', (given, expected) => {
    expect(resolveOptions(toggles, given)).toEqual(expected);
  });
});

describe('resolveOptions', () => {
  it('fills in every default', () => {
    expect(resolveOptions(table, valid)).toEqual({
      name: 'x',
      size: 4,
      eager: false,
      mode: 'on',
      tags: [],
      env: {},
      ranks: {},
      at: new Date(0),
      limits: { soft: 5 },
      many: {},
    });
  });

  it('takes undefined as left out, and a falsy value as given', () => {
    const resolved = resolveOptions(table, { ...valid, size: undefined, many: { a: { soft: undefined, hard: 0 } } });
    expect(resolved.size).toBe(4);
    expect(resolved.many['a']).toEqual({ soft: 5, hard: 0 });
  });

  it('calls a computed default once per resolution', () => {
    expect(resolveOptions(table, valid).at).not.toBe(resolveOptions(table, valid).at);
  });

  it('freezes the outcome, nested tables, lists and maps', () => {
    const given = { ...valid, tags: ['a'], env: { A: 'b' }, ranks: { a: 1 }, many: { a: { hard: 1 } } };
    for (const resolved of [resolveOptions(table, given), resolveOptions(table, valid)]) {
      for (const part of [resolved, resolved.limits, resolved.many, resolved.tags, resolved.env, resolved.ranks]) {
        expect(Object.isFrozen(part)).toBe(true);
      }
    }
    expect(Object.isFrozen(resolveOptions(table, given).many['a'])).toBe(true);
  });

  it('does not share what the user may change later', () => {
    const tags = ['a'];
    const env = { A: 'b' };
    const resolved = resolveOptions(table, { ...valid, tags, env });
    tags.push('c');
    env.A = 'changed';
    expect(resolved).toMatchObject({ tags: ['a'], env: { A: 'b' } });
  });

  it.each([
    ['unknown key', { ...valid, sise: 3 }, 'options.sise', /unknown key 'options.sise' \(3\); allowed are name, size/],
    ['unknown nested key', { ...valid, limits: { sof: 1 } }, 'options.limits.sof', /'options.limits.sof'.*soft/],
    ['unknown key of a named entry', { ...valid, many: { a: { hard: 1, x: 1 } } }, 'options.many.a.x', /soft, hard/],
    ['inherited-looking key', { ...valid, constructor: 1 }, 'options.constructor', /unknown key/],
    ['missing option', { many: {} }, 'options.name', /'options.name' is undefined; allowed is a non-empty string/],
    ['missing nested option', { ...valid, many: { a: {} } }, 'options.many.a.hard', /an integer from 0 to 100/],
    ['number below its bounds', { ...valid, size: 0 }, 'options.size', /is 0; allowed is an integer from 1 to 8/],
    ['number above its bounds', { ...valid, size: 9 }, 'options.size', /is 9/],
    ['fraction', { ...valid, size: 1.5 }, 'options.size', /is 1.5/],
    ['NaN', { ...valid, size: Number.NaN }, 'options.size', /is NaN/],
    ['numeric string', { ...valid, size: '4' }, 'options.size', /is "4"/],
    ['bounds with unit', { ...valid, limits: { soft: 10 } }, 'options.limits.soft', /an integer from 1 to 9 \(ms\)/],
    ['number for a boolean', { ...valid, eager: 1 }, 'options.eager', /true or false/],
    ['empty string', { ...valid, name: '' }, 'options.name', /is ""/],
    ['value outside a choice', { ...valid, mode: 'ON' }, 'options.mode', /one of 'on', 'off'/],
    ['list with a number', { ...valid, tags: ['a', 1] }, 'options.tags', /a list of 2; allowed is a list of strings/],
    ['map with a number', { ...valid, env: { PORT: 80 } }, 'options.env.PORT', /is 80; allowed is a string/],
    ['list for a map', { ...valid, env: [] }, 'options.env', /a list of 0/],
    ['map with a value out of bounds', { ...valid, ranks: { a: 9, b: 10 } }, 'options.ranks.b', /is 10; .*from 1 to 9/],
    ['map with a text', { ...valid, ranks: { a: '1' } }, 'options.ranks.a', /is "1"/],
    ['map with an empty name', { ...valid, ranks: { '': 1 } }, 'options.ranks[""]', /is 1; .*not empty/],
    ['list for a map of integers', { ...valid, ranks: [1] }, 'options.ranks', /a list of 1; allowed is an object/],
    ['null for an option', { ...valid, size: null }, 'options.size', /is null/],
    ['value of another class', { ...valid, at: 'today' }, 'options.at', /allowed is a Date/],
    ['list for a group', { ...valid, limits: [] }, 'options.limits', /an object of options/],
    ['list for named groups', { ...valid, many: [] }, 'options.many', /an object of names/],
    ['instance for the options', new Map(), 'options', /an instance of Map/],
    ['nothing for the options', undefined, 'options', /is undefined/],
  ])('refuses an %s with path, value and what is allowed', (_, given, path, message) => {
    const error = refusal(given);
    expect(error.details['option']).toBe(path);
    expect(error.message).toMatch(message);
  });

  it('accepts both bounds', () => {
    expect(resolveOptions(table, { ...valid, size: 1 }).size).toBe(1);
    expect(resolveOptions(table, { ...valid, size: 8 }).size).toBe(8);
  });

  it('derives the types of input and outcome from the table', () => {
    type Input = OptionsInput<typeof table>;
    type Resolved = OptionsResolved<typeof table>;
    expectTypeOf<{ name: string; many: Record<string, never> }>().toExtend<Input>();
    expectTypeOf<{ many: Record<string, never> }>().not.toExtend<Input>();
    expectTypeOf<Input['size']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Input['name']>().toEqualTypeOf<string>();
    expectTypeOf<Input['at']>().toEqualTypeOf<Date | undefined>();
    expectTypeOf<{ name: string; limits: object; many: { a: { hard: number } } }>().toExtend<Input>();
    expectTypeOf<{ name: string; many: { a: { soft: number } } }>().not.toExtend<Input>();
    expectTypeOf<Input['mode']>().toEqualTypeOf<'on' | 'off' | undefined>();
    expectTypeOf<Resolved['size']>().toEqualTypeOf<number>();
    expectTypeOf<Resolved['limits']['soft']>().toEqualTypeOf<number>();
    expectTypeOf<Resolved['many'][string]['hard']>().toEqualTypeOf<number>();
  });
});

describe('describeValue', () => {
  it.each([
    ['x'.repeat(100), `"${'x'.repeat(77)}..."`],
    [() => 1, 'a function'],
    [[1, 2], 'a list of 2'],
    [new Map(), 'an instance of Map'],
    [Object.create(null), 'an object'],
    [{}, 'an object'],
    [null, 'null'],
    [5n, '5'],
  ])('renders case %#', (value, expected) => {
    expect(describeValue(value)).toBe(expected);
  });
});

describe('isPlainObject', () => {
  it('accepts literals and prototype-less objects only', () => {
    expect([{}, Object.create(null), [], null, new Date(), 'x'].map(isPlainObject)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
