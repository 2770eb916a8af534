import { describe, expect, it } from 'vitest';

import { readSchema } from '../../codec/index.js';
import { clientText } from './client-text.js';
import type { CommandContract } from './contract-lines.js';
import { readContractLines } from './contract-lines.js';
import { typeText } from './type-text.js';

const type = (schema: unknown): string => typeText(readSchema(schema, 'schema'), (reference) => reference.slice(8));
const text = (contracts: readonly CommandContract[]): string => clientText(contracts, { name: 'MlClient', pool: 'ml' });

describe('the type of a schema', () => {
  it.each([
    [{}, 'unknown'],
    [{ type: 'integer' }, 'number'],
    [{ type: ['string', 'null'] }, 'string | null'],
    [{ enum: ['a', "it's", 1, true, null] }, "'a' | 'it\\'s' | 1 | true | null"],
    [{ const: '\n"' }, `'\\n"'`],
    [{ 'x-value': 'binary' }, 'Uint8Array'],
    [{ 'x-value': 'time' }, 'Date'],
    [{ 'x-value': 'array' }, 'ArrayBufferView'],
    [{ 'x-value': 'array', 'x-elements': ['f4', 'f8'] }, 'Float32Array | Float64Array'],
    [{ type: 'array' }, 'unknown[]'],
    [{ type: 'array', items: { type: ['string', 'null'] } }, '(string | null)[]'],
    [
      { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }], minItems: 1, maxItems: 2 },
      '[string, number?]',
    ],
    [{ type: 'array', prefixItems: [{ title: 'x', type: 'number' }], minItems: 1 }, '[x: number, ...rest: unknown[]]'],
    [{ type: 'object' }, 'Record<string, unknown>'],
    [{ type: 'object', additionalProperties: { type: 'number' } }, 'Record<string, number>'],
    [
      { type: 'object', properties: { 'a b': {}, c: { type: 'null' } }, required: ['c'] },
      "{ 'a b'?: unknown; c: null }",
    ],
    [{ anyOf: [{ $ref: '#/$defs/A' }, { type: 'null' }], $defs: { A: {} } }, 'A | null'],
    [
      { allOf: [{ $ref: '#/$defs/A' }, { anyOf: [{ type: 'string' }, { type: 'null' }] }], $defs: { A: {} } },
      'A & (string | null)',
    ],
    [{ anyOf: [{ type: 'string' }, {}] }, 'unknown'],
    [{ items: false, prefixItems: [{}], minItems: 1 }, '[unknown]'],
  ])('%j is %s', (schema, expected) => {
    expect(type(schema)).toBe(expected);
  });
});

describe('a client', () => {
  const point = (x: string): object => ({ type: 'object', properties: { x: { type: x } }, required: ['x'] });
  const schema = (root: unknown) => readSchema(root, 'schema');

  it('has a name for each definition, and another for one of the same name that is not like it', () => {
    const one = {
      name: 'one',
      kind: 'call',
      schema: schema({
        type: 'object',
        properties: { p: { $ref: '#/$defs/Point' } },
        required: ['p'],
        $defs: { Point: point('number') },
      }),
    } as const;
    const two = { ...one, name: 'two', result: schema({ $ref: '#/$defs/Point', $defs: { Point: point('string') } }) };
    const written = text([one, two]);
    expect(written.match(/^export interface \w+/gm)).toEqual([
      'export interface OneArgs',
      'export interface Point',
      'export interface TwoArgs',
      'export interface PointResult',
    ]);
    expect(written).toContain('readonly two!: Command<TwoArgs, PointResult>;');
  });

  it('has members that can be: no reserved ones, none twice, in the case of the language', () => {
    const names = ['running_totals', 'runningTotals', 'then', 'constructor', 'a.b', '3d', 'Date'];
    const written = text(names.map((name) => ({ name, kind: 'call' })));
    expect([...written.matchAll(/readonly ([\w$]+)!/g)].map(([, name]) => name)).toEqual([
      'runningTotals',
      'runningTotals2',
      'then2',
      'constructor2',
      'aB',
      '_3d',
      'Date',
    ]);
    expect(written).toContain(`@PoolCommand('running_totals') readonly runningTotals!`);
    expect(written).toContain(`@PoolCommand('runningTotals') readonly runningTotals2!`);
  });

  it('cannot be made to hold code by what a worker says', () => {
    const evil = `*/ evil(); /* '\`\${evil()}\u2028\n// evil()`;
    const contract = {
      name: evil,
      kind: 'stream',
      doc: evil,
      schema: schema({
        type: 'object',
        title: evil,
        description: evil,
        properties: { [evil]: { enum: [evil], description: evil, default: evil } },
      }),
      result: schema({ const: evil }),
    } as const;
    const written = text([contract]);
    const code = written
      .replace(/\/\*\*[^]*?\*\/(?!\\)/g, '')
      .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
      .replace(/^\/\/.*$/gm, '');
    expect(code.replace(/evil(?=\w|\b)(?!\()/gi, '')).not.toContain('evil(');
    expect(written).not.toMatch(/\u2028/);
  });

  it('holds what it was written from', () => {
    const contract = {
      name: 'run',
      kind: 'call',
      doc: 'Über\u2028alles',
      schema: schema({ type: 'object', properties: { b: {}, a: {} } }),
      positional: ['b', 'a'],
    } as const;
    expect(readContractLines(text([contract]), 'x.ts')).toEqual([contract]);
    expect(() => readContractLines('// contract: {', 'x.ts')).toThrow(/x\.ts: a contract was changed by hand/);
    expect(() => readContractLines('', 'x.ts')).toThrow(/x\.ts is no client/);
  });
});
