import { describe, expect, it } from 'vitest';

import { ProtocolViolation } from './failures.js';
import { checkWorkerHello } from './hello.js';
import { readSchema } from './read-schema.js';

const read = (schema: unknown): unknown => readSchema(schema, 'schema');
const nested = (depth: number): unknown => (depth === 0 ? {} : { items: nested(depth - 1) });

describe('a schema of a worker', () => {
  it('is read with what is understood, and without all else', () => {
    const schema = {
      $id: 'http://example.com/a',
      $schema: 'x',
      $async: true,
      $dynamicRef: '#x',
      type: ['object', 'null'],
      properties: { a: { type: 'string', pattern: '(a+)+$', default: 'x', description: 'An a.' } },
      required: ['a'],
      additionalProperties: false,
      $defs: { A: { const: 1 } },
      anyOf: [{ $ref: '#/$defs/A' }, true],
    };
    expect(read(schema)).toEqual({
      type: ['object', 'null'],
      properties: { a: { type: 'string', default: 'x', description: 'An a.' } },
      required: ['a'],
      additionalProperties: false,
      $defs: { A: { const: 1 } },
      anyOf: [{ $ref: '#/$defs/A' }, true],
    });
  });

  it('takes other members where a pattern would say which, since no pattern is run', () => {
    expect(read({ patternProperties: { '^x': {} }, additionalProperties: false })).toEqual({});
  });

  it.each([
    ['no map', 'text', /^schema is "text"; expected a map$/],
    [
      'an unknown type',
      { properties: { a: { type: 'lisst' } } },
      /^schema\.properties\.a\.type is "lisst"; expected one of/,
    ],
    ['no type in a list of types', { type: ['string', 1] }, /^schema\.type\[1\]/],
    ['a reference to elsewhere', { $ref: 'http://example.com/x' }, /\$ref is "http.*expected '#'/],
    ['a reference into a file', { $ref: 'other.json#/$defs/A' }, /\$ref/],
    ['a reference to nothing', { $ref: '#/$defs/A' }, /a reference to what is there/],
    ['a reference to what is inherited', { $ref: '#/$defs/constructor', $defs: {} }, /a reference to what is there/],
    ['a name that is code', { $defs: { '"];evil()//': {} } }, /names of letters/],
    ['an unknown kind of value', { 'x-value': 'blob' }, /x-value/],
    ['an unknown element type', { 'x-value': 'array', 'x-elements': ['f16'] }, /x-elements\[0\]/],
    ['a negative length', { minLength: -1 }, /an integer of 0 or more/],
    ['a step of 0', { multipleOf: 0 }, /above 0/],
    ['no alternatives', { anyOf: [] }, /at least one/],
    ['itself without a step', { $ref: '#' }, /without end/],
    [
      'itself by a detour',
      { $ref: '#/$defs/A', $defs: { A: { anyOf: [{ $ref: '#/$defs/B' }] }, B: { $ref: '#/$defs/A' } } },
      /without end/,
    ],
    ['itself in what nobody uses', { $defs: { A: { not: { $ref: '#/$defs/A' } } } }, /without end/],
    ['too deep', nested(65), /more than 64 deep/],
    ['too deep as data', { const: JSON.parse('['.repeat(70) + ']'.repeat(70)) }, /more than 64 deep/],
    [
      'too many members',
      { properties: Object.fromEntries(Array.from({ length: 501 }, (_, n) => [n, {}])) },
      /at most 500/,
    ],
    ['too large', { enum: Array.from({ length: 10_001 }, () => 1) }, /more than 10000 values/],
  ])('is refused with the place: %s', (_, schema, message) => {
    expect(() => read(schema)).toThrow(ProtocolViolation);
    expect(() => read(schema)).toThrow(message);
  });

  it('may come back to itself by a step into the value, and be as deep as is allowed', () => {
    const tree = {
      $ref: '#/$defs/Tree',
      $defs: { Tree: { properties: { parts: { items: { $ref: '#/$defs/Tree' } } } } },
    };
    expect(read(tree)).toEqual(tree);
    expect(read(nested(64))).toEqual(nested(64));
  });

  it('is refused in a hello by its command', () => {
    const software = { name: 'x', version: '1' };
    const hello = { protocol: 2, codec: 'json', language: 'x', runtime: software, sdk: software, pid: 1 };
    const commands = [{ name: 'predict', kind: 'call', result: { type: 'lisst' } }];
    expect(() => checkWorkerHello({ ...hello, commands })).toThrow(
      /^hello\.commands\[0\] \('predict'\)\.result\.type is "lisst"/,
    );
    const named = [{ name: 'predict', kind: 'call', positional: ['a', 1] }];
    expect(() => checkWorkerHello({ ...hello, commands: named })).toThrow(/positional/);
  });
});
