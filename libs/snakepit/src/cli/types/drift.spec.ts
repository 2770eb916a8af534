import { describe, expect, it } from 'vitest';

import { readSchema } from '../../codec/index.js';
import type { CommandContract } from './contract-lines.js';
import { driftOf } from './drift.js';

const ref = (name: string): object => ({ $ref: `#/$defs/${name}` });

function takes(properties: object, required: readonly string[] = [], more: object = {}): CommandContract {
  const schema = { type: 'object', properties, required, additionalProperties: false, ...more };
  return { name: 'run', kind: 'call', schema: readSchema(schema, 'schema') };
}

const gives = (result: unknown): CommandContract => ({
  name: 'run',
  kind: 'call',
  result: readSchema(result, 'result'),
});

const told = (before: CommandContract, now: CommandContract): string[] =>
  driftOf([before], [now]).map(({ isBreaking, text }) => `${isBreaking ? '!' : ' '} ${text}`);

describe('what has changed between a worker and its client', () => {
  it('is nothing where nothing has, in whatever order it is told', () => {
    expect(
      told(
        takes({ a: { type: 'string', minLength: 1 } }, ['a']),
        takes({ a: { minLength: 1, type: 'string' } }, ['a']),
      ),
    ).toEqual([]);
  });

  it('is a command that is gone, or new', () => {
    const [one, two] = [takes({}), { ...takes({}), name: 'walk' }];
    expect(driftOf([one], [two])).toEqual([
      { isBreaking: true, text: 'run: the command is gone' },
      { isBreaking: false, text: 'walk: the command is new' },
    ]);
  });

  it('is a call that has become a stream', () => {
    expect(told(takes({}), { ...takes({}), kind: 'stream' })).toEqual(['! run: was a call, is a stream']);
  });

  it.each([
    ['a new required argument', takes({}), takes({ a: {} }, ['a']), "! run: the argument 'a' is new and required"],
    ['a new optional argument', takes({}), takes({ a: {} }), "  run: the argument 'a' is new"],
    ['an argument that is gone', takes({ a: {} }), takes({}), "! run: the argument 'a' is gone"],
    ['one that becomes required', takes({ a: {} }), takes({ a: {} }, ['a']), "! run: the argument 'a' is required now"],
    [
      'one that becomes optional',
      takes({ a: {} }, ['a']),
      takes({ a: {} }),
      "  run: the argument 'a' need not be given any more",
    ],
    [
      'a narrowed type',
      takes({ a: { type: ['string', 'null'] } }),
      takes({ a: { type: 'string' } }),
      "! run: the argument 'a' takes less, or something else: string; was string | null",
    ],
    [
      'a widened type',
      takes({ a: { enum: ['x'] } }),
      takes({ a: { enum: ['x', 'y'] } }),
      "  run: the argument 'a' takes more: 'x' | 'y'; was 'x'",
    ],
    [
      'a limit',
      takes({ a: { type: 'integer', minimum: 0 } }),
      takes({ a: { type: 'integer', minimum: 1 } }),
      "! run: the argument 'a' takes less, or something else: number, whose members or limits have changed",
    ],
    [
      'a fraction that is no longer taken',
      takes({ a: { type: 'number' } }),
      takes({ a: { type: 'integer' } }),
      "! run: the argument 'a' takes less, or something else: number, whose members or limits have changed",
    ],
    [
      'a description',
      takes({ a: { type: 'string', description: 'x' } }),
      takes({ a: { type: 'string', description: 'y' } }),
      "  run: the argument 'a' is described otherwise",
    ],
    [
      'a required member of what it refers to',
      takes({ a: ref('T') }, [], { $defs: { T: { type: 'object', properties: { x: {} } } } }),
      takes({ a: ref('T') }, [], { $defs: { T: { type: 'object', properties: { x: {} }, required: ['x'] } } }),
      "! run: the argument 'a' takes less, or something else: T, whose members or limits have changed",
    ],
    [
      'an optional member of what refers to itself',
      takes({ a: ref('T') }, [], { $defs: { T: { type: 'object', properties: { x: ref('T') } } } }),
      takes({ a: ref('T') }, [], {
        $defs: { T: { type: 'object', properties: { x: ref('T'), y: {} }, additionalProperties: true } },
      }),
      "  run: the argument 'a' is described otherwise",
    ],
    [
      'arguments declared at last',
      { name: 'run', kind: 'call' } as const,
      takes({}),
      '! run: says what it takes, and refuses all else',
    ],
    [
      'another result',
      gives({ type: 'string' }),
      gives({ type: 'number' }),
      '! run: the result is another: number; was string',
    ],
    [
      'a result that may be null',
      gives({ type: 'string' }),
      gives({ type: ['string', 'null'] }),
      '! run: the result is another: string | null; was string',
    ],
    [
      'a narrower result',
      gives({ type: ['string', 'null'] }),
      gives({ type: 'string' }),
      '  run: the result is narrower: string; was string | null',
    ],
    [
      'a member less in the result',
      gives({ type: 'object', properties: { a: {}, b: {} }, required: ['a', 'b'] }),
      gives({ type: 'object', properties: { a: {} }, required: ['a'] }),
      '! run: the result is another: { a: unknown }; was { a: unknown; b: unknown }',
    ],
    [
      'a member more in the result',
      gives({ type: 'object', properties: { a: {} }, required: ['a'] }),
      gives({ type: 'object', properties: { a: {}, b: {} }, required: ['a', 'b'] }),
      '  run: the result is narrower: { a: unknown; b: unknown }; was { a: unknown }',
    ],
    [
      'another element type',
      gives({ 'x-value': 'array', 'x-elements': ['f8'] }),
      gives({ 'x-value': 'array', 'x-elements': ['f4'] }),
      '! run: the result is another: Float32Array; was Float64Array',
    ],
    [
      'a tuple with a place more',
      gives({ type: 'array', prefixItems: [{ type: 'string' }], minItems: 1, maxItems: 1 }),
      gives({ type: 'array', prefixItems: [{ type: 'string' }, {}], minItems: 2, maxItems: 2 }),
      '! run: the result is another: [string, unknown]; was [string]',
    ],
  ])('is %s', (_, before, now, expected) => {
    expect(told(before, now)).toEqual([expected]);
  });
});
