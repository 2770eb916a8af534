import { expect, it } from 'vitest';

import { describeCommands } from './describe-commands.js';

it('writes a line for each command, with parameters where the worker tells them', () => {
  const schema = { type: 'object', properties: { a: {}, b: {} }, required: ['a'] } as const;
  const commands = [
    { name: 'add', kind: 'call', doc: 'Adds.\nAt length.', schema },
    { name: 'count_all', kind: 'stream' },
  ] as const;
  expect(describeCommands(commands)).toBe('add(a, b?)  call    Adds.\ncount_all   stream');
});

it('says so where a worker does not tell its commands', () => {
  expect(describeCommands(undefined)).toMatch(/does not tell its commands/);
});
