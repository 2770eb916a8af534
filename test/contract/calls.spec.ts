import { afterEach, describe, expect, it } from 'vitest';

import { CORE_COMBINATIONS, SOURCE_FILES, usePool } from '../support/combinations.js';
import { failureOf } from '../support/outcomes.js';
import { waitUntil } from '../support/wait-until.js';

const MAX_FRAME_BYTES = 256 * 1024;
const MAX_DEPTH = 16;

interface RefusedCase {
  readonly what: string;
  readonly make: () => unknown;
  readonly path: string;
  readonly reason: RegExp;
}

function cycle(): unknown {
  const list: unknown[] = [];
  list.push({ list });
  return { list };
}

function nested(levels: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

/** Arguments that no codec can carry. */
const REFUSED: readonly RefusedCase[] = [
  {
    what: 'a function',
    make: () => ({ items: [1, { callback() {} }] }),
    path: 'args.items[1].callback',
    reason: /function/,
  },
  { what: 'a symbol', make: () => [Symbol('s')], path: 'args[0]', reason: /symbol/ },
  { what: 'a cycle', make: cycle, path: 'args.list', reason: /cycle/ },
  { what: '2^64', make: () => ({ n: 2n ** 64n }), path: 'args.n', reason: /outside -2\^63 to 2\^64-1/ },
  { what: '-2^63-1', make: () => ({ n: -(2n ** 63n) - 1n }), path: 'args.n', reason: /outside -2\^63 to 2\^64-1/ },
  {
    what: 'nesting beyond maxDepth',
    make: () => ({ deep: nested(MAX_DEPTH + 1) }),
    path: 'args.deep',
    reason: /maxDepth/,
  },
  { what: 'a Map', make: () => ({ map: new Map([[1, 2]]) }), path: 'args.map', reason: /fromEntries/ },
  { what: 'a Set', make: () => ({ set: new Set([1]) }), path: 'args.set', reason: /Set/ },
  { what: 'a Promise', make: () => ({ later: Promise.resolve(1) }), path: 'args.later', reason: /await/ },
  { what: 'an Error', make: () => ({ error: new Error('x') }), path: 'args.error', reason: /Error/ },
  { what: 'an invalid Date', make: () => ({ at: new Date(Number.NaN) }), path: 'args.at', reason: /invalid Date/ },
  { what: 'a lone surrogate', make: () => ({ text: 'a\ud800b' }), path: 'args.text', reason: /surrogate/ },
  { what: 'a lone surrogate in a key', make: () => ({ map: { '\ud800': 1 } }), path: 'args.map', reason: /surrogate/ },
];

describe.each(CORE_COMBINATIONS)('calls over $name', (combination) => {
  const { language, can } = combination;
  const running = usePool(combination, { maxFrameBytes: MAX_FRAME_BYTES, maxDepth: MAX_DEPTH });
  const execute = (command: string, args?: unknown): Promise<unknown> => running().pool.execute(command, args);

  /** Whatever a case did, the pool is whole and answers. */
  afterEach(async () => {
    expect(await execute('add', { a: 20, b: 22 })).toBe(42);
    await waitUntil('both workers', () => running().pool.stats().available === 2);
  });

  describe('arguments', () => {
    it('passes a map as named arguments', async () => {
      expect(await execute('add', { b: 2, a: 40 })).toBe(42);
    });

    it('passes a list as positional arguments', async () => {
      expect(await execute('subtract', [5, 3])).toBe(2);
    });

    it('calls without arguments for null, for an empty map and for none given', async () => {
      expect(await execute('nothing', null)).toBeNull();
      expect(await execute('nothing', {})).toBeNull();
      expect(await execute('nothing')).toBeNull();
    });

    it('passes a scalar as the only argument', async () => {
      expect(await execute('same', 'text')).toBe('text');
      expect(await execute('same', 7)).toBe(7);
      expect(await execute('same', false)).toBe(false);
    });

    it('passes a map within a list as the only argument', async () => {
      expect(await execute('same', [{ a: 1 }])).toEqual({ a: 1 });
    });

    it('leaves out members that are undefined', async () => {
      expect(await execute('add', { a: 1, b: 2, c: undefined })).toBe(3);
    });

    it('refuses missing positional arguments as INVALID_ARGUMENTS that names the command', async () => {
      const error = await failureOf(execute('subtract', []));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started', retryable: false });
      expect(error.message).toContain('subtract');
    });

    it.each([
      { what: 'a missing named argument', command: 'fail', args: {}, unchecked: 'REMOTE_ERROR' },
      { what: 'an unknown named argument', command: 'add', args: { a: 1, b: 2, c: 3 }, unchecked: 3 },
      { what: 'a surplus positional argument', command: 'subtract', args: [5, 3, 1], unchecked: 2 },
    ])('refuses $what where the language has signatures, else passes it on', async ({ command, args, unchecked }) => {
      const outcome = await execute(command, args).catch((error: unknown) => error);
      if (can.knowsSignatures) expect(outcome).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
      else if (typeof unchecked === 'string') expect(outcome).toMatchObject({ code: unchecked, delivery: 'ran' });
      else expect(outcome).toBe(unchecked);
    });

    it('refuses an unknown command and names the known ones', async () => {
      const error = await failureOf(execute('no_such_command', {}));
      expect(error).toMatchObject({ code: 'UNKNOWN_COMMAND', delivery: 'not-started', httpStatus: 404 });
      expect(error.message).toContain('no_such_command');
      expect(error.message).toContain('add_later');
    });

    it.each(REFUSED)('refuses $what with the path to it', async ({ make, path, reason }) => {
      const error = await failureOf(execute('same', make()));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started', retryable: false });
      expect(error.message).toContain(path);
      expect(error.message).toMatch(reason);
    });

    it('takes arguments that are nested as deep as maxDepth allows', async () => {
      const value = nested(MAX_DEPTH - 1);
      expect(await execute('same', [value])).toEqual(value);
    });

    it('refuses arguments larger than maxFrameBytes before anything is sent', async () => {
      const error = await failureOf(execute('length_of', { value: 'x'.repeat(MAX_FRAME_BYTES) }));
      expect(error).toMatchObject({ code: 'FRAME_TOO_LARGE', delivery: 'not-started', httpStatus: 413 });
      expect(error.details['bytes']).toBeGreaterThan(MAX_FRAME_BYTES);
    });

    it('takes arguments that just fit', async () => {
      expect(await execute('length_of', { value: 'x'.repeat(MAX_FRAME_BYTES - 200) })).toBe(MAX_FRAME_BYTES - 200);
    });
  });

  describe('results', () => {
    it('runs asynchronous commands', async () => {
      expect(await execute('add_later', { a: 1, b: 2 })).toBe(3);
    });

    it('answers every one of many calls at once with its own result', async () => {
      const values = await Promise.all(
        Array.from({ length: 300 }, (_, n) =>
          n % 3 === 0 ? execute('add_later', { a: n, b: 1 }) : execute('subtract', [n, 1]),
        ),
      );
      expect(values).toEqual(Array.from({ length: 300 }, (_, n) => (n % 3 === 0 ? n + 1 : n - 1)));
    });

    it('refuses a result that cannot be encoded, with the path to it', async () => {
      const error = await failureOf(execute('unserializable'));
      expect(error).toMatchObject({ code: 'INVALID_RESULT', delivery: 'ran', retryable: false });
      expect(error.message).toContain('rows[1]');
    });

    it('refuses a result that contains itself', async () => {
      expect(await failureOf(execute('self_containing'))).toMatchObject({ code: 'INVALID_RESULT', delivery: 'ran' });
    });

    it('refuses a result larger than maxFrameBytes', async () => {
      const error = await failureOf(execute('text_of', { length: MAX_FRAME_BYTES + 1 }));
      // A v1 worker is not told the limit; its frame is refused by the header, and that costs the connection.
      if (can.multiplexes) expect(error).toMatchObject({ code: 'FRAME_TOO_LARGE', delivery: 'ran' });
      else expect(error).toMatchObject({ code: 'PROTOCOL_ERROR', delivery: 'may-have-run' });
      expect(error.message).toContain(String(MAX_FRAME_BYTES));
    });

    it('takes a result that just fits', async () => {
      expect(await execute('text_of', { length: MAX_FRAME_BYTES - 200 })).toHaveLength(MAX_FRAME_BYTES - 200);
    });
  });

  describe('a command that raises', () => {
    it('fails with the type, message, traceback and data of what was raised', async () => {
      const error = await failureOf(execute('fail', { message: 'month must be in 1..12', data: { month: 13 } }));
      expect(error).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'ran', retryable: false });
      expect(error.remote).toMatchObject({
        type: 'ReportError',
        message: 'month must be in 1..12',
        data: { month: 13 },
      });
      expect(error.remote?.traceback).toContain(SOURCE_FILES[language]);
      expect(error.message).toContain("'fail' raised ReportError: month must be in 1..12");
      expect(JSON.stringify(error)).not.toContain('commands.');
    });

    it('fails the same way when it is asynchronous', async () => {
      const error = await failureOf(execute('fail_later', { message: 'later' }));
      expect(error).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'ran' });
      expect(error.remote).toMatchObject({ type: 'ReportError', message: 'later' });
    });

    it('fails also when its data cannot be encoded', async () => {
      const error = await failureOf(execute('fail', { message: 'odd', data: null }));
      expect(error.remote).toMatchObject({ type: 'ReportError', message: 'odd' });
    });
  });

  describe('a command that prints', () => {
    it.each([
      { what: 'to stdout', command: 'say', returned: 'said' },
      { what: 'to stderr', command: 'complain', returned: 'complained' },
    ])('$what has its line logged under the worker and its result kept', async ({ command, returned }) => {
      const text = `${command} ☃ ${combination.name}`;
      expect(await execute(command, { text })).toBe(returned);
      const record = await waitUntil('the line', () => running().logs.find(({ message }) => message === text));
      expect(record.pool).toBe('default');
      expect(record.worker).toMatch(/^default-\d+$/);
    });

    it('writes raw garbage to descriptor 1 without harm, where that is not the channel', async () => {
      const call = execute('write_garbage', { times: 5_000 });
      if (!can.guardsStdout) {
        expect(await failureOf(call)).toMatchObject({ code: 'PROTOCOL_ERROR', delivery: 'may-have-run' });
        return;
      }
      expect(await call).toBe('written');
      const record = await waitUntil('the garbage', () =>
        running().logs.find(({ message }) => message.includes('{garbage}')),
      );
      expect(record.message.length).toBeGreaterThan(100);
    });
  });
});
