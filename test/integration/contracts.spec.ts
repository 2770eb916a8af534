import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  custom,
  node,
  python,
  type PoolOptions,
  type PoolService,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { lastValueFrom, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

import { failureOf } from '../support/outcomes.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/contracts/', import.meta.url));
const env = { PYTHONPATH: inject('pythonPackages') };

function usePool(options: PoolOptions): () => PoolService {
  let snakepit: Snakepit | undefined;
  beforeAll(async () => {
    snakepit = await createSnakepit({ pools: { shop: { size: 1, env, ...options } } });
  });
  afterAll(() => snakepit?.close());
  return () => snakepit!.pool('shop');
}

const shop = python({ module: `${FIXTURES}shop.py` });

describe.each([
  ['v2', shop],
  ['gRPC', python({ module: `${FIXTURES}shop.py`, transport: 'grpc' })],
])('commands that declare types, over %s', (_, adapter) => {
  const pool = usePool({ adapter, validate: 'all' });

  it('get what is annotated, and return what they declare', async () => {
    const items = [{ sku: 'a', amount: 2, price: [1.5], parts: [{ sku: 'b' }] }];
    expect(await pool().execute('order', { items, customer: 'x', due: '2026-02-01' })).toEqual({
      total: 3,
      day: '2026-02-01',
      lines: 1,
      first: {
        sku: 'a',
        amount: 2,
        unit: 'piece',
        price: [1.5, 'EUR'],
        parts: [{ sku: 'b', amount: 1, unit: 'piece', price: null, parts: [] }],
      },
    });
    expect(await pool().execute('checksum', { data: Buffer.from([1, 2]), salt: 'x' })).toEqual([3, 'x']);
    const at = new Date('2026-01-31T12:00:00Z');
    expect(await pool().execute('when', { at, later: 1.5 })).toEqual(new Date('2026-01-31T12:00:01.500Z'));
    expect(await pool().execute('scale', { matrix: new Float64Array([1, 2]), factor: 2 })).toEqual([2, 4]);
    const items2 = await lastValueFrom(pool().stream<{ sku: string }>('count', { start: 2 }).pipe(toArray()));
    expect(items2.map(({ sku }) => sku)).toEqual(['2', '1']);
  });

  it.each([
    ['order', { customer: 'x' }, 'args.items'],
    ['order', { items: [{ sku: 'a' }, { sku: 1 }], customer: 'x' }, 'args.items[1].sku'],
    ['order', { items: [{ sku: 'a', unit: 'mile' }], customer: 'x' }, 'args.items[0].unit'],
    ['order', { items: [], customer: 'x', mode: 'slow' }, 'args.mode'],
    ['order', { items: [], customer: 'x', more: 1 }, 'args.more'],
    ['order', [[], 5], 'args.customer'],
    ['order', { items: [], customer: 'x', due: new Date() }, 'args.due'],
    ['checksum', { data: 'text' }, 'args.data'],
    ['when', { at: '2026-01-31', later: 1 }, 'args.at'],
    ['double', 'x', 'args'],
  ])('refuse %s(%j) before it is sent, at %s', async (command, args, path) => {
    const before = pool().stats().sentBytes;
    const error = await failureOf(pool().execute(command, args));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started', details: { path, command } });
    expect(pool().stats().sentBytes).toBe(before);
  });

  it('refuse a stream in the same way', async () => {
    const error = await failureOf(lastValueFrom(pool().stream('count', { start: 'x' })));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', details: { path: 'args.start' } });
  });

  it('check each call of a batch', async () => {
    const [one, wrong, two] = [1, 'x', 2].map((value) => pool().execute('double', value));
    expect(await failureOf(wrong!)).toMatchObject({ code: 'INVALID_ARGUMENTS' });
    expect(await Promise.all([one, two])).toEqual([2, 4]);
  });

  it('fail with INVALID_RESULT where they return something else', async () => {
    const error = await failureOf(pool().execute('liar', ['x']));
    expect(error).toMatchObject({ code: 'INVALID_RESULT', delivery: 'ran', details: { path: 'result' } });
    expect(error.message).toBe(
      "'liar' returned something that it does not declare: result is a string; expected integer",
    );
  });

  it('end a stream with INVALID_RESULT at the first such item', async () => {
    const seen: unknown[] = [];
    const run = new Promise((_, reject) => {
      pool()
        .stream('lying_stream', { values: [1, 'x', 3] })
        .subscribe({ next: (item) => seen.push(item), error: reject });
    });
    expect(await failureOf(run)).toMatchObject({ code: 'INVALID_RESULT', details: { path: 'result' } });
    expect(seen).toEqual([1]);
    expect(await pool().execute('unhinted', [1])).toEqual([1, 2]);
  });

  it('leave commands alone that declare nothing', async () => {
    expect(await pool().execute('unhinted', { a: 'x' })).toEqual(['x', 2]);
    const { schema, result } = pool().commands!.find(({ name }) => name === 'unhinted')!;
    expect([schema, result]).toEqual([undefined, undefined]);
  });
});

describe('validate', () => {
  const byDefault = usePool({ adapter: shop });
  const none = usePool({ adapter: shop, validate: 'none' });

  it('leaves results alone by default', async () => {
    expect(await byDefault().execute('liar', ['x'])).toBe('x');
    expect(await failureOf(byDefault().execute('liar', [1]))).toMatchObject({ details: { path: 'args.text' } });
  });

  it("leaves all to the worker with 'none', which refuses what it cannot make of arguments", async () => {
    expect(await none().execute('liar', [1])).toBe(1);
    const error = await failureOf(none().execute('order', { items: [{ sku: 'a', unit: 'mile' }], customer: 'x' }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', details: { path: 'args.items[0].unit' } });
  });
});

describe('the call option validate', () => {
  const none = usePool({ adapter: shop, validate: 'none' });
  const all = usePool({ adapter: shop, validate: 'all' });

  it('checks more than the pool does, for that call', async () => {
    const misfit = { code: 'INVALID_ARGUMENTS', details: { path: 'args.text' } };
    expect(await failureOf(none().execute('liar', [1], { validate: 'arguments' }))).toMatchObject(misfit);
    expect(await none().execute('liar', ['x'], { validate: 'arguments' })).toBe('x');
    const lie = { code: 'INVALID_RESULT', details: { path: 'result' } };
    expect(await failureOf(none().execute('liar', ['x'], { validate: 'all' }))).toMatchObject(lie);
    const stream = lastValueFrom(none().stream('lying_stream', { values: [1, 'x'] }, { validate: 'all' }));
    expect(await failureOf(stream)).toMatchObject({ code: 'INVALID_RESULT' });
    expect(await none().execute('liar', ['x'])).toBe('x');
  });

  it('checks less than the pool does, for that call', async () => {
    expect(await all().execute('liar', ['x'], { validate: 'arguments' })).toBe('x');
    expect(await all().execute('liar', [1], { validate: 'none' })).toBe(1);
    expect(await failureOf(all().execute('liar', ['x']))).toMatchObject({ code: 'INVALID_RESULT' });
  });

  it('is refused where it is none of these', async () => {
    const error = await failureOf(all().execute('liar', ['x'], { validate: 'results' as 'all' }));
    expect(error.code).toBe('INVALID_ARGUMENTS');
    expect(error.message).toContain(`'validate' is "results"; allowed is one of arguments, all, none`);
  });
});

describe('commands in Node', () => {
  const pool = usePool({ adapter: node({ module: `${FIXTURES}shop.js` }), validate: 'all' });

  it('declare theirs by JSON Schema, or by what can say itself in it', async () => {
    expect(await pool().execute('add', { a: 1, b: 2 })).toBe(3);
    expect(await failureOf(pool().execute('add', { a: '1' }))).toMatchObject({ details: { path: 'args.a' } });
    expect(await pool().execute('upper', 'x')).toBe('X');
    expect(await failureOf(pool().execute('upper', ''))).toMatchObject({ code: 'INVALID_ARGUMENTS' });
  });
});

describe('schemas that are none', () => {
  const failedStart = async (adapter: PoolOptions['adapter']): Promise<string> => {
    const error = await failureOf(createSnakepit({ pools: { shop: { adapter, size: 1 } } }));
    expect(error.code).toBe('WORKER_START_FAILED');
    return error.message;
  };

  it('keep a Node worker from starting, with file, command and place', async () => {
    const message = await failedStart(node({ module: `${FIXTURES}lies.mjs` }));
    expect(message).toMatch(
      /lies\.mjs: the schema of 'predict'\.properties\.rows\.type is "lisst"; expected one of null/,
    );
  });

  it('are found by the host where the worker does not', async () => {
    const script = fileURLToPath(new URL('../fixtures/integration/raw_v2.py', import.meta.url));
    const message = await failedStart(
      custom({ executable: 'python3', script, args: ['bad-schema'], protocol: 'v2', codec: 'json' }),
    );
    expect(message).toMatch(/raw_v2\.py bad-schema/);
    expect(message).toMatch(/hello\.commands\[0\] \('good'\)\.schema\.type is "lisst"/);
  });
});

describe('a command that is batched without its handler’s knowledge', () => {
  const pool = usePool({
    adapter: python({ module: fileURLToPath(new URL('../fixtures/nest/models.py', import.meta.url)) }),
  });

  it('is held against nothing from then on, since what the handler says is about lists', async () => {
    expect(await failureOf(pool().execute('square', { n: 2 }))).toMatchObject({ code: 'INVALID_ARGUMENTS' });
    pool().declareBatch('square', { maxSize: 8, maxWaitMs: 1, adaptive: true }, 'a test');
    expect(await pool().execute('square', { n: 2 })).toMatchObject({ square: 4 });
  });
});
