import { describe, expect, it } from 'vitest';

import { CORE_COMBINATIONS, usePool, type Combination } from '../support/combinations.js';
import { failureOf } from '../support/outcomes.js';

interface ValueCase {
  readonly what: string;
  readonly value: unknown;
  /** What the worker calls it. */
  readonly kind: string;
  /** Set for what plain JSON has no form for. */
  readonly beyondJson?: true;
  /** Where what comes back differs from what was sent. */
  readonly returned?: unknown;
}

const VALUES: readonly ValueCase[] = [
  { what: 'null', value: null, kind: 'null' },
  { what: 'undefined, as null', value: undefined, kind: 'null', returned: null },
  { what: 'true', value: true, kind: 'boolean' },
  { what: 'false', value: false, kind: 'boolean' },
  { what: '0', value: 0, kind: 'integer' },
  { what: '127 and its neighbours', value: [127, 128, 255, 256, -32, -33, -128, -129], kind: 'list' },
  { what: 'the edges of 16 and 32 bits', value: [32767, 65535, 65536, 2 ** 31, 2 ** 32, -(2 ** 31) - 1], kind: 'list' },
  { what: 'epoch milliseconds', value: 1_790_000_000_123, kind: 'integer' },
  { what: '2^53-1', value: Number.MAX_SAFE_INTEGER, kind: 'integer' },
  { what: '-(2^53-1)', value: Number.MIN_SAFE_INTEGER, kind: 'integer' },
  { what: '2^53 as a bigint', value: 2n ** 53n, kind: 'integer', beyondJson: true },
  { what: '2^53+1 as a bigint', value: 2n ** 53n + 1n, kind: 'integer', beyondJson: true },
  { what: 'a small bigint, as a number', value: 5n, kind: 'integer', returned: 5 },
  { what: '-2^63', value: -(2n ** 63n), kind: 'integer', beyondJson: true },
  { what: '2^64-1', value: 2n ** 64n - 1n, kind: 'integer', beyondJson: true },
  { what: '0.1', value: 0.1, kind: 'float' },
  { what: 'the smallest float', value: 5e-324, kind: 'float' },
  { what: 'NaN', value: Number.NaN, kind: 'float', beyondJson: true },
  { what: 'Infinity', value: Number.POSITIVE_INFINITY, kind: 'float', beyondJson: true },
  { what: '-Infinity', value: Number.NEGATIVE_INFINITY, kind: 'float', beyondJson: true },
  { what: 'an empty string', value: '', kind: 'string' },
  { what: 'text of all planes', value: 'naïve ☃ 🐍 \0 \u2028 "quoted" \\', kind: 'string' },
  { what: 'a string of 300 KB', value: 'ä'.repeat(150_000), kind: 'string' },
  { what: 'empty binary', value: new Uint8Array(0), kind: 'binary', beyondJson: true },
  {
    what: 'binary of all bytes',
    value: Uint8Array.from({ length: 256 }, (_, i) => i),
    kind: 'binary',
    beyondJson: true,
  },
  {
    what: 'a view into a larger buffer',
    value: Buffer.from('abcdef').subarray(2, 4),
    kind: 'binary',
    beyondJson: true,
  },
  { what: 'a time', value: new Date('2026-01-31T12:00:00.123Z'), kind: 'time', beyondJson: true },
  { what: 'a time before 1970', value: new Date('1904-02-29T23:59:59.999Z'), kind: 'time', beyondJson: true },
  { what: 'an empty list', value: [], kind: 'list' },
  { what: 'an empty map', value: {}, kind: 'map' },
  { what: 'nested lists and maps', value: { rows: [{ id: 1, tags: ['a', ['b']], note: null }] }, kind: 'map' },
  { what: 'a map that looks like a tag', value: { $bin: [0, 1] }, kind: 'map' },
  { what: 'a map with odd keys', value: { '': 1, 'a b': 2, constructor: 3, ä: 4 }, kind: 'map' },
  {
    what: 'everything at once',
    value: { $int: 'no tag', b: new Uint8Array([1]), t: new Date(0), n: [2n ** 60n, Number.NaN], s: 'x' },
    kind: 'map',
    beyondJson: true,
  },
];

/** Values that the worker makes by itself. */
const MADE: ReadonlyArray<{ readonly what: string; readonly value: unknown; readonly beyondJson?: true }> = [
  { what: 'largest safe', value: Number.MAX_SAFE_INTEGER },
  { what: 'beyond safe', value: 2n ** 53n + 1n, beyondJson: true },
  { what: 'smallest', value: -(2n ** 63n), beyondJson: true },
  { what: 'largest', value: 2n ** 64n - 1n, beyondJson: true },
  { what: 'half', value: 0.5 },
  { what: 'nan', value: Number.NaN, beyondJson: true },
  { what: 'infinity', value: Number.POSITIVE_INFINITY, beyondJson: true },
  { what: 'minus infinity', value: Number.NEGATIVE_INFINITY, beyondJson: true },
  { what: 'text', value: 'naïve ☃ 🐍 \0 end' },
  { what: 'binary', value: Uint8Array.from({ length: 256 }, (_, i) => i), beyondJson: true },
  { what: 'no bytes', value: new Uint8Array(0), beyondJson: true },
  { what: 'time', value: new Date('2026-01-31T12:00:00.250Z'), beyondJson: true },
  { what: 'null', value: null },
  { what: 'true', value: true },
  { what: 'nested', value: { rows: [{ id: 1, tags: ['a', 'b'], note: null }], $int: 'not a tag' } },
  { what: 'tag-like', value: { $bin: [0, 1] } },
];

/** Binary as it should be compared: the same bytes, whatever the view's class. */
function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, comparable(member)]));
}

describe.each(CORE_COMBINATIONS)('values over $name', (combination: Combination) => {
  const { can } = combination;
  const running = usePool(combination);

  it.each(VALUES)(
    'carries $what there and back, or refuses it with its path',
    async ({ value, beyondJson, ...rest }) => {
      const call = running().pool.execute('same', [value]);
      if (beyondJson && !can.carriesAllValues) {
        const error = await failureOf(call);
        expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started', retryable: false });
        expect(error.message).toMatch(/args\[0\].*plain JSON cannot carry/);
        return;
      }
      const expected = 'returned' in rest ? rest.returned : value;
      expect(comparable(await call)).toEqual(comparable(expected));
    },
  );

  it.each(VALUES)('shows $what to the worker as $kind', async ({ value, kind, beyondJson }) => {
    if (beyondJson && !can.carriesAllValues) return;
    expect(await running().pool.execute('kind_of', [value])).toBe(kind);
  });

  it.each(MADE)('carries what a worker makes ($what), or says that its result cannot be sent', async (made) => {
    const call = running().pool.execute('make', { what: made.what });
    if (made.beyondJson && !can.carriesAllValues) {
      const error = await failureOf(call);
      expect(error).toMatchObject({ code: 'INVALID_RESULT', delivery: 'ran' });
      return;
    }
    expect(comparable(await call)).toEqual(comparable(made.value));
  });

  it('keeps the sign of -0, or drops it where plain JSON leaves no choice', async () => {
    const kept = can.carriesMinusZero ? -0 : 0;
    expect(await running().pool.execute('same', [-0])).toBe(kept);
    expect(await running().pool.execute('make', { what: 'minus zero' })).toBe(kept);
  });

  it('carries 1 MB of binary without loss', async () => {
    const value = Uint8Array.from({ length: 1 << 20 }, (_, index) => (index * 31) & 0xff);
    const call = running().pool.execute<Uint8Array>('same', [value]);
    if (!can.carriesAllValues) {
      expect(await failureOf(call)).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
      return;
    }
    expect(Buffer.compare(await call, value)).toBe(0);
  });

  it('sends of a typed array what it shows and nothing of the buffer around it', async () => {
    const secret = Buffer.alloc(64, 'secret');
    const view = new Uint16Array(secret.buffer, secret.byteOffset, 2);
    const call = running().pool.execute<Uint8Array | Uint16Array>('same', [view]);
    if (!can.carriesAllValues) {
      expect(await failureOf(call)).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
      return;
    }
    expect([...(await call)]).toEqual(can.keepsTypes ? [...view] : [...secret.subarray(0, 4)]);
  });
});
