import { type PoolService, type Snakepit } from 'nestjs-snakepit/core';
import { firstValueFrom, take, toArray } from 'rxjs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { bridge, startPool, usePools } from '../../support/ancestor-bridges.js';
import { failureOf, itemsOf, received } from '../../support/outcomes.js';
import { untilGone } from '../../support/processes.js';
import { entriesOf, entryWith, useScratch } from '../../support/records.js';

const { start, closeLast } = usePools();
const scratch = useScratch();

describe('a gRPC bridge of the ancestor’s', () => {
  let shared: Snakepit;
  let pool: PoolService;
  let restartsBefore: number;
  beforeAll(async () => {
    shared = await startPool({ adapter: bridge() });
    pool = shared.pool();
  });
  beforeEach(() => {
    restartsBefore = pool.stats().restarts;
  });
  afterAll(() => shared.close());
  const restarts = () => pool.stats().restarts - restartsBefore;

  it('takes maps of arguments and gives maps of results', async () => {
    expect(await pool.execute('add', { a: 40, b: 2 })).toEqual({ result: 42 });
    expect(await pool.execute('echo', { deep: { list: [1, 'two', null] } })).toEqual({
      deep: { list: [1, 'two', null] },
    });
    expect(await pool.execute('ping')).toEqual({ result: 'pong' });
    expect(await pool.execute('ping', null)).toEqual({ result: 'pong' });
  });

  it('gets strings as strings, whatever they look like, and binary as it is', async () => {
    const args = {
      plain: 'some text',
      digits: '5',
      flag: 'true',
      float: 'NaN',
      floats: '[NaN, -Infinity]',
      quoted: '"x"',
      map: '{"a":1}',
      date: '2026-01-31',
      empty: '',
      number: 1.5,
      nothing: null,
      left: undefined,
      bytes: Buffer.from([0xff, 0x00]),
    };
    expect(await pool.execute('kinds', args)).toEqual({
      plain: "str 'some text'",
      digits: "str '5'",
      flag: "str 'true'",
      float: "str 'NaN'",
      floats: "str '[NaN, -Infinity]'",
      quoted: `str '"x"'`,
      map: `str '{"a":1}'`,
      date: "str '2026-01-31'",
      empty: "str ''",
      number: 'float 1.5',
      nothing: 'NoneType None',
      bytes: "bytes b'\\xff\\x00'",
    });
  });

  it('gives results of every kind that its bytes can hold', async () => {
    expect(await pool.execute('give', { what: 'map' })).toEqual({
      text: 'plain',
      number: 5,
      list: [1, { a: null }],
      flag: true,
      nothing: null,
      raw: Buffer.from([0xff, 0x00]),
    });
    expect(await pool.execute('give', { what: 'scalar' })).toEqual({ result: 42 });
    expect(await pool.execute('give', { what: 'text' })).toEqual({ result: 'hello' });
    // What the bridge wrote bare, nobody can tell from a number.
    expect(await pool.execute('give', { what: 'digits' })).toEqual({ result: 5 });
    expect(await pool.execute('give', { what: 'floats' })).toEqual({
      mean: Number.NaN,
      rows: [Infinity, 1.5, 'NaN'],
      low: -Infinity,
    });
  });

  it.each([
    { what: 'a list', args: [1], path: 'args', says: 'is no map' },
    { what: 'a scalar', args: 5, path: 'args', says: 'is no map' },
    { what: 'NaN', args: { a: [Number.NaN] }, path: 'args.a[0]', says: 'plain JSON cannot carry' },
    { what: 'a time', args: { at: new Date() }, path: 'args.at', says: 'plain JSON cannot carry' },
    { what: 'a large integer', args: { n: 2n ** 60n }, path: 'args.n', says: 'plain JSON cannot carry' },
    { what: 'binary within a map', args: { a: { b: Buffer.of(1) } }, path: 'args.a.b', says: 'cannot carry' },
    { what: 'a function', args: { 'a b': () => 1 }, path: 'args["a b"]', says: 'is a function' },
  ])('is not sent $what, and the error names the place', async ({ args, path, says }) => {
    const error = await failureOf(pool.execute('echo', args));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started', details: { path } });
    expect(error.message).toContain(says);
  });

  it('gets no more than maxFrameBytes, and gives none', async () => {
    const small = await start({ adapter: bridge(), maxFrameBytes: 100_000 });
    expect(await failureOf(small.execute('echo', { a: 'x'.repeat(100_001) }))).toMatchObject({
      code: 'FRAME_TOO_LARGE',
      delivery: 'not-started',
    });
    expect(await failureOf(small.execute('give', { what: 'large' }))).toMatchObject({
      code: 'FRAME_TOO_LARGE',
      delivery: 'may-have-run',
    });
    expect(await small.execute('ping')).toEqual({ result: 'pong' });
    expect(small.stats().restarts).toBe(0);
  });

  it('is told of the session and of the time that is left', async () => {
    const reply = await pool.executeInSession<Record<string, unknown>>('s1', 'session', {}, { timeoutMs: 5_000 });
    expect(reply['session']).toBe('s1');
    expect(reply['timeout']).toBeGreaterThan(4_000);
    expect(reply['timeout']).toBeLessThanOrEqual(5_000);
    expect(await pool.execute('session')).toMatchObject({ session: null });
    const items = await itemsOf(pool.streamInSession('s2', 'numbers', { to: 1 }));
    expect(items).toEqual([{ session: 's2' }, { number: 0 }]);
  });

  it('fails by its text, which ran', async () => {
    expect(await failureOf(pool.execute('fail', { message: 'month must be in 1..12' }))).toMatchObject({
      code: 'REMOTE_ERROR',
      delivery: 'ran',
      remote: { message: 'month must be in 1..12' },
    });
    expect((await failureOf(pool.execute('nothing'))).remote?.message).toBe('Unknown command: nothing');
  });

  it.each([
    { name: 'UNKNOWN', expected: { code: 'REMOTE_ERROR', delivery: 'may-have-run' } },
    { name: 'INTERNAL', expected: { code: 'REMOTE_ERROR', delivery: 'may-have-run' } },
    { name: 'INVALID_ARGUMENT', expected: { code: 'REMOTE_ERROR', delivery: 'may-have-run' } },
    { name: 'UNIMPLEMENTED', expected: { code: 'UNSUPPORTED', delivery: 'not-started' } },
    { name: 'RESOURCE_EXHAUSTED', expected: { code: 'FRAME_TOO_LARGE', delivery: 'may-have-run' } },
  ])('that ends a call by $name goes on with the next', async ({ name, expected }) => {
    const error = await failureOf(pool.execute('status', { name }));
    expect(error).toMatchObject(expected);
    expect(error.message).toContain('said the bridge');
    expect(await pool.execute('ping')).toEqual({ result: 'pong' });
    expect(restarts()).toBe(0);
  });

  it.each([
    { name: 'CANCELLED', expected: { code: 'WORKER_LOST', delivery: 'may-have-run' } },
    { name: 'UNAVAILABLE', expected: { code: 'WORKER_LOST', delivery: 'may-have-run' } },
    { name: 'DEADLINE_EXCEEDED', expected: { code: 'CALL_TIMEOUT', delivery: 'may-have-run' } },
    { name: 'UNAUTHENTICATED', expected: { code: 'PROTOCOL_ERROR', delivery: 'not-started' } },
  ])('that ends a call by $name is replaced', async ({ name, expected }) => {
    expect(await failureOf(pool.execute('status', { name }))).toMatchObject(expected);
    await expect.poll(restarts).toBe(1);
    expect(await pool.execute('ping')).toEqual({ result: 'pong' });
  });

  it('whose servicer raises tells what it said', async () => {
    const error = await failureOf(pool.execute('raise'));
    expect(error).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'may-have-run' });
    expect(error.message).toContain('the servicer itself broke');
  });

  it.each([
    { ending: 'final', last: [] },
    { ending: 'final chunk', last: [{ result: 'last' }] },
    { ending: 'none', last: [] },
  ])('ends a stream by $ending', async ({ ending, last }) => {
    const items = await itemsOf(pool.stream('numbers', { to: 300, ending }));
    expect(items).toEqual([...Array.from({ length: 300 }, (_, number) => ({ number })), ...last]);
  });

  it('ends a stream by an error, after the items that came', async () => {
    const { items, error } = await received(pool.stream('breaks', { at: 3 }));
    expect(items).toEqual([{ number: 0 }, { number: 1 }, { number: 2 }]);
    expect(error).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'ran', remote: { message: 'it broke at 3' } });
  });

  it('closes a stream that its consumer leaves, and takes the next call', async () => {
    const path = scratch();
    expect(await firstValueFrom(pool.stream('ticks', { ms: 2, path }).pipe(take(3), toArray()))).toEqual([
      { result: 0 },
      { result: 1 },
      { result: 2 },
    ]);
    await entryWith(path, 'closed');
    expect(await pool.execute('ping')).toEqual({ result: 'pong' });
    expect(restarts()).toBe(0);
  });

  it('is held back by a slow consumer', async () => {
    const path = scratch();
    const slow = await start({ adapter: bridge(), streamCredit: 2 });
    const made = () => entriesOf(path).length;
    const blocks = slow.iterate<{ block: Buffer }>('blocks', { count: 60, path });
    expect((await blocks.next()).value?.block).toHaveLength(2 ** 20 + 1);
    // It makes as many as HTTP/2's window takes, and then waits.
    let before: number;
    do {
      before = made();
      await pool.execute('doze', { ms: 150 });
    } while (made() > before);
    expect(made()).toBeLessThan(40);
    let items = 1;
    for await (const { block } of blocks) items += block.length > 2 ** 20 ? 1 : 0;
    expect(items).toBe(60);
  });

  it('closes a stream whose deadline passes, as long as that gives a sign of life', async () => {
    const path = scratch();
    const { error } = await received(pool.stream('ticks', { ms: 5, path }, { timeoutMs: 100 }));
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run' });
    await entryWith(path, 'closed');
    await expect.poll(() => pool.stats().inFlight).toBe(0);
    expect(restarts()).toBe(0);
  });

  it('is asked for its health while it is idle, and not while a call is in its hands', async () => {
    const watched = await start({ adapter: bridge(), heartbeatIntervalMs: 20, heartbeatTimeoutMs: 2_000 });
    const checks = async () => (await watched.execute<{ result: number }>('health_checks')).result;
    let idle = 0;
    while (idle <= 2) {
      await pool.execute('doze', { ms: 300 });
      idle = await checks();
    }
    await watched.execute('doze', { ms: 500 });
    expect((await checks()) - idle).toBeLessThan(5);
  });

  it('is gone when the pool is closed, by SIGTERM and at once', async () => {
    const { pids } = (await start({ adapter: bridge(), killGraceMs: 60_000 })).stats();
    // Else it waits out that grace, and this test with it.
    await closeLast();
    await untilGone(pids);
  });
});
