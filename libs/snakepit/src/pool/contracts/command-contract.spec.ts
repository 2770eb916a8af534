import { describe, expect, it } from 'vitest';

import type { SnakepitError } from '../../core/index.js';
import { readSchema } from '../../codec/index.js';
import { CommandContract } from './command-contract.js';

function contract(schema: unknown, positional?: readonly string[]): CommandContract {
  const manifest = { name: 'run', kind: 'call', schema: readSchema(schema, 'schema'), positional } as const;
  return new CommandContract('reports', { ...manifest, ...(positional && { positional }) } as never, 'arguments');
}

const values = (schema: unknown): CommandContract =>
  contract({ type: 'object', properties: { value: schema }, required: ['value'], additionalProperties: false }, [
    'value',
  ]);

/** The refusal's path and reason; undefined where the arguments fit. */
function refusal(checked: CommandContract, args: unknown): { path: unknown; reason: unknown } | undefined {
  try {
    checked.checkArguments(args);
    return undefined;
  } catch (error) {
    const { code, details, delivery } = error as SnakepitError;
    expect([code, delivery]).toEqual(['INVALID_ARGUMENTS', 'not-started']);
    return { path: details['path'], reason: details['reason'] };
  }
}

describe('values that fit', () => {
  it.each([
    ['an integer', { type: 'integer' }, [0, -1, 2 ** 53, 5n, 2n ** 63n]],
    ['a number', { type: 'number' }, [1, 0.5, Number.NaN, Infinity, 5n]],
    ['binary', { 'x-value': 'binary' }, [Buffer.from('a'), new Uint8Array(1), new ArrayBuffer(1)]],
    [
      'a typed array',
      { 'x-value': 'array' },
      [new Float64Array(1), new Uint8Array(1), new DataView(new ArrayBuffer(1))],
    ],
    ['one of f8', { 'x-value': 'array', 'x-elements': ['f8', 'u1'] }, [new Float64Array(1), new Uint8Array(1)]],
    ['a time', { 'x-value': 'time' }, [new Date()]],
    ['a date', { type: 'string', format: 'date' }, ['2026-01-31', '2024-02-29']],
    ['a time of day', { type: 'string', format: 'time' }, ['12:00', '12:00:00', '23:59:59.123456+02:00']],
    ['a date with time', { type: 'string', format: 'date-time' }, ['2026-01-31T12:00:00Z', '2026-01-31 12:00']],
    ['a UUID', { type: 'string', format: 'uuid' }, ['12345678-1234-5678-1234-567812345678']],
    ['a decimal', { type: 'string', format: 'decimal' }, ['1.10', '-1e5', 'NaN', '.5']],
    ['text of a format nobody knows', { type: 'string', format: 'constructor' }, ['x']],
    ['what is sent by toJSON', { type: 'string' }, [new URL('http://a.b'), { toJSON: () => 'x' }]],
    ['anything', {}, [1, 'x', null, new Date()]],
    ['one of several', { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'integer' } }] }, ['x', [1, 2n]]],
  ])('%s', (_, schema, fitting) => {
    for (const value of fitting) expect(refusal(values(schema), { value })).toBeUndefined();
  });
});

describe('values that do not fit', () => {
  it.each([
    [{ type: 'integer' }, 1.5, 'args.value', 'is a number with a fraction; expected integer'],
    [{ type: 'integer' }, 'secret', 'args.value', 'is a string; expected integer'],
    [{ type: 'array' }, new Float64Array(1), 'args.value', 'is a Float64Array; expected array'],
    [{ 'x-value': 'binary' }, 'text', 'args.value', 'is a string; expected binary'],
    [{ 'x-value': 'binary' }, new Float32Array(1), 'args.value', 'is a Float32Array; expected binary'],
    [
      { 'x-value': 'array', 'x-elements': ['f8'] },
      new Float32Array(1),
      'args.value',
      'is a Float32Array; expected a typed array of f8',
    ],
    [{ 'x-value': 'time' }, '2026-01-31', 'args.value', 'is a string; expected time'],
    [{ type: 'string', format: 'date' }, '2026-02-30', 'args.value', 'must match format "date"'],
    [{ type: ['integer', 'null'] }, 'x', 'args.value', 'is a string; expected integer or null'],
    [{ enum: ['a', 'b'] }, 'c', 'args.value', 'is none of what is allowed: "a", "b"'],
    [{ const: 'a' }, 'c', 'args.value', 'is not "a"'],
    [{ type: 'integer', minimum: 1 }, 0, 'args.value', 'must be >= 1'],
    [
      { anyOf: [{ type: 'string' }, { 'x-value': 'binary' }] },
      1,
      'args.value',
      'is an integer; expected string or binary',
    ],
    [
      { anyOf: [{ properties: { a: { type: 'string' } }, required: ['a'] }, { type: 'null' }] },
      { a: 1 },
      'args.value.a',
      'is an integer; expected string',
    ],
    [{ items: { required: ['a b'] } }, [{ 'a b': 1 }, {}], 'args.value[1]["a b"]', 'is missing'],
    [{ properties: { a: {} }, additionalProperties: false }, { b: 1 }, 'args.value.b', 'is unknown; known are a'],
    [
      { properties: { 'x/y~z': { type: 'null' } } },
      { 'x/y~z': 1 },
      'args.value["x/y~z"]',
      'is an integer; expected null',
    ],
    [false, 1, 'args.value', 'is not allowed'],
  ])('%j: %j', (schema, value, path, reason) => {
    expect(refusal(values(schema), { value })).toEqual({ path, reason: `${path} ${reason}` });
  });

  it('say nothing of the value itself', () => {
    expect(JSON.stringify(refusal(values({ type: 'integer' }), { value: 'secret' }))).not.toContain('secret');
  });

  it('are refused where they contain themselves', () => {
    const tree = {
      $ref: '#/$defs/Tree',
      $defs: { Tree: { type: 'object', properties: { part: { $ref: '#/$defs/Tree' } } } },
    };
    const self: Record<string, unknown> = {};
    self['part'] = self;
    expect(refusal(contract(tree), self)).toEqual({ path: 'args', reason: 'args is nested too deeply' });
  });
});

describe('arguments', () => {
  const named = contract(
    { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'string' } }, required: ['a'] },
    ['a', 'b'],
  );

  it('stand for names by their place, and alone for the first', () => {
    expect(refusal(named, [1, 'x'])).toBeUndefined();
    expect(refusal(named, [1, 'x', 'the worker judges this'])).toBeUndefined();
    expect(refusal(named, 1)).toBeUndefined();
    expect(refusal(named, [1, 2])?.path).toBe('args.b');
    expect(refusal(named, 'x')?.path).toBe('args.a');
    expect(refusal(named, [])).toEqual({ path: 'args.a', reason: 'args.a is missing' });
  });

  it('that are none are an empty map', () => {
    expect(refusal(named, null)?.path).toBe('args.a');
    expect(refusal(named, undefined)?.path).toBe('args.a');
    expect(refusal(contract({ type: 'object' }), null)).toBeUndefined();
  });

  it('are held against the schema as they are where it has no names', () => {
    const text = contract({ type: 'string' });
    expect(refusal(text, 'x')).toBeUndefined();
    expect(refusal(text, ['x'])).toEqual({ path: 'args', reason: 'args is an array; expected string' });
    expect(refusal(text, null)?.path).toBe('args');
  });

  it('that are undefined count as left out, since they are not sent', () => {
    expect(refusal(named, { a: 1, b: undefined })).toBeUndefined();
  });
});

describe('schemas made to do harm', () => {
  const evil = '`${globalThis.harmed=1}`"\'];globalThis.harmed=1;//\n\u2028\\';

  it('cannot become code by their strings', () => {
    const schema = {
      type: 'object',
      title: evil,
      properties: { [evil]: { enum: [evil], default: evil }, ok: { const: { [evil]: evil }, format: evil } },
      required: [evil],
      additionalProperties: { type: 'string', format: evil },
      propertyNames: { enum: [evil, 'ok', '__proto__'] },
    };
    const checked = contract(schema);
    expect(refusal(checked, { [evil]: 'x' })?.path).toBe(`args[${JSON.stringify(evil)}]`);
    expect(refusal(checked, { [evil]: evil })).toBeUndefined();
    expect(refusal(checked, {})?.reason).toContain('is missing');
    expect(globalThis).not.toHaveProperty('harmed');
  });

  it('cannot change a prototype', () => {
    const schema = JSON.parse(
      '{"properties":{"__proto__":{"default":{"harmed":1}},"constructor":{"type":"string"}}}',
    ) as unknown;
    expect(refusal(contract(schema), { constructor: 'x' })).toBeUndefined();
    expect(({} as Record<string, unknown>)['harmed']).toBeUndefined();
  });

  it('are not multiplied by references to one large definition', () => {
    const large = {
      properties: Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`p${n}`, { type: 'string' }])),
    };
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`r${n}`, { $ref: '#/$defs/Large' }]));
    expect(refusal(contract({ properties: many, $defs: { Large: large } }), { r1: { p2: 3 } })?.path).toBe(
      'args.r1.p2',
    );
  });
});
