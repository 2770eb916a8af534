import { subscribe, type EventPayloads } from 'nestjs-snakepit/core';
import { describe, expect, it } from 'vitest';

import { COMBINATIONS, usePool } from '../support/combinations.js';
import { failureOf } from '../support/outcomes.js';
import { waitUntil } from '../support/wait-until.js';

const MAX_FRAME_BYTES = 64 * 1024;

const BATCHING = COMBINATIONS.filter(({ can }) => can.multiplexes);
const SINGLE_FILE = COMBINATIONS.filter(({ can }) => !can.multiplexes);

describe.each(BATCHING)('batches over $name', (combination) => {
  const batch = { count: { maxSize: 3 } };
  const running = usePool(combination, { maxFrameBytes: MAX_FRAME_BYTES, batch }, 'contract/batches');
  const execute = <Result>(command: string, args?: unknown, options = {}): Promise<Result> =>
    running().pool.execute<Result>(command, args, options);
  const statsOf = (command: string) => running().pool.stats().batches[command]!;

  it('gives each caller its own result of one call to the worker', async () => {
    const before = statsOf('halve');
    const results = await Promise.all([2, 4, 6].map((n) => execute('halve', { n })));
    expect(results).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    const { batches, calls, largest, maxSize, maxWaitMs } = statsOf('halve');
    expect([batches - before.batches, calls - before.calls, largest, maxSize, maxWaitMs]).toEqual([1, 3, 3, 8, 200]);
  });

  it('lets a batch leave when it is full', async () => {
    const results = await Promise.all(
      Array.from({ length: 16 }, (_, n) => execute<[number, number]>('halve', { n: 2 * n })),
    );
    expect(results.map(([half]) => half)).toEqual(Array.from({ length: 16 }, (_, n) => n));
    expect(results.map(([, size]) => size)).toEqual(Array.from({ length: 16 }, () => 8));
  });

  it('gives an error that stands in the list to its caller alone', async () => {
    for (const command of ['halve', 'halve_later']) {
      const [good, odd, other] = [execute(command, { n: 2 }), execute(command, { n: 3 }), execute(command, { n: 4 })];
      const error = await failureOf(odd);
      expect(error).toMatchObject({
        code: 'REMOTE_ERROR',
        delivery: 'ran',
        remote: { message: '3 is odd', data: { n: 3 } },
      });
      expect(error.remote?.type).toBe('OddOne');
      expect(await Promise.all([good, other])).toEqual([
        [1, 3],
        [2, 3],
      ]);
    }
  });

  it('fails all callers when the handler raises', async () => {
    const errors = await Promise.all([1, 2, 3].map((n) => failureOf(execute('refuse', { n }))));
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'ran', remote: { message: 'not 3 today' } });
    }
  });

  it('names the command and both numbers when there are too few results', async () => {
    const errors = await Promise.all([1, 2, 3].map((n) => failureOf(execute('lose', { n }))));
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'INVALID_RESULT', delivery: 'ran' });
      expect(error.message).toMatch(/'lose' .*2 results for a batch of 3 calls/);
    }
  });

  it('fails only the caller whose arguments cannot be sent', async () => {
    const calls = [{ n: 2 }, { n: 4, callback: () => {} }, { n: 6 }].map((args) => execute('halve', args));
    const error = await failureOf(calls[1]!);
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENTS',
      delivery: 'not-started',
      details: { path: 'args.callback' },
    });
    expect(error.message).not.toContain('args[1]');
    expect(await Promise.all([calls[0], calls[2]])).toEqual([
      [1, 2],
      [3, 2],
    ]);
  });

  it('splits what is too large together, and fails only the caller whose arguments are so alone', async () => {
    const text = (length: number) => ({ n: 2, text: 'x'.repeat(length) });
    const sizes = [30_000, 30_000, 30_000, MAX_FRAME_BYTES, 30_000];
    const calls = sizes.map((length) => execute<[number, number]>('halve', text(length)));
    expect(await failureOf(calls[3]!)).toMatchObject({ code: 'FRAME_TOO_LARGE', delivery: 'not-started' });
    for (const index of [0, 1, 2, 4]) expect((await calls[index]!)[0]).toBe(1);
  });

  it('fails only the caller whose result cannot be sent, or finds no room', async () => {
    const lengths = [10, -1, MAX_FRAME_BYTES, 20];
    const calls = lengths.map((length) => execute<string>('repeat', { length }));
    expect(await failureOf(calls[1]!)).toMatchObject({ code: 'INVALID_RESULT', delivery: 'ran' });
    expect(await failureOf(calls[2]!)).toMatchObject({ code: 'FRAME_TOO_LARGE', delivery: 'ran' });
    expect((await calls[0]!).length + (await calls[3]!).length).toBe(30);
    const many = [30_000, 30_000, 30_000].map((length) => execute<string>('repeat', { length }));
    const outcomes = await Promise.allSettled(many);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  });

  it('batches commands that the pool names, by the bounds that it gives', async () => {
    const results = await Promise.all([1, 2, 3, 4].map((n) => execute('count', [n])));
    expect(results).toEqual([
      [[1], 3],
      [[2], 3],
      [[3], 3],
      [[4], 1],
    ]);
  });

  it('joins calls of one session, and not those of two', async () => {
    const { sessions } = running().snakepit;
    await Promise.all([sessions.create('a'), sessions.create('b')]);
    const told = await Promise.all(
      ['a', 'b', undefined, 'a', 'b', 'a'].map((session) => execute('tell', null, { session })),
    );
    expect(told.map((each) => [(each as { session: string }).session, (each as { size: number }).size])).toEqual([
      ['a', 3],
      ['b', 2],
      [null, 1],
      ['a', 3],
      ['b', 2],
      ['a', 3],
    ]);
  });

  it('tells the worker only what all calls have in common, and the trace of the first', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const progress: unknown[] = [];
    const onProgress = (value: unknown) => void progress.push(value);
    const [first] = await Promise.all([
      execute('tell', null, { trace: { traceparent }, context: { tenant: 'x', user: '1' } }),
      execute('tell', null, { context: { tenant: 'x', user: '2' }, onProgress }),
    ]);
    expect(first).toMatchObject({ context: { tenant: 'x' }, trace: { traceparent }, size: 2 });
    expect(progress).toEqual([{ size: 2 }]);
  });

  it('settles a caller at its own deadline while the others wait on', async () => {
    const late = execute('hold', { ms: 600 }, { timeoutMs: 150 });
    let isBatchOver = false;
    const patient = execute('hold', { ms: 600 }).finally(() => (isBatchOver = true));
    expect(await failureOf(late)).toMatchObject({
      code: 'CALL_TIMEOUT',
      delivery: 'may-have-run',
      details: { timeoutMs: 150 },
    });
    expect(isBatchOver).toBe(false);
    expect(await patient).toBe(2);
  });

  it('cancels the call in the worker when its last caller leaves', async () => {
    const controllers = [new AbortController(), new AbortController()];
    const calls = controllers.map(({ signal }) => execute('hold', { ms: 60_000 }, { signal }));
    const outcomes = Promise.all(calls.map(failureOf));
    await waitUntil('the batch', () => running().pool.stats().inFlight === 2);
    controllers[0]!.abort();
    expect(running().pool.stats().inFlight).toBe(2);
    controllers[1]!.abort();
    for (const error of await outcomes) expect(error).toMatchObject({ code: 'CANCELLED', delivery: 'may-have-run' });
    await waitUntil('the worker', () => running().pool.stats().inFlight === 0);
  });

  it('tells each caller what is true when the worker dies, and tries again what may run twice', async () => {
    const doomed = execute('die', { dies: true });
    const bystander = execute('die', { dies: false });
    const again = execute('die', { dies: false }, { idempotent: true });
    const errors = await Promise.all([failureOf(doomed), failureOf(bystander)]);
    for (const error of errors) expect(error).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run' });
    expect(await again).toBe(1);
  });

  it('publishes every call with its times, its outcome and the size of its batch', async () => {
    const calls: EventPayloads['snakepit:call'][] = [];
    const unsubscribe = subscribe('snakepit:call', (call) => calls.push(call));
    try {
      await Promise.allSettled([execute('halve', { n: 2 }), execute('halve', { n: 3 }), execute('single', [1])]);
    } finally {
      unsubscribe();
    }
    const told = calls.map(({ command, batchSize, error }) => [command, batchSize, error]);
    expect(told).toHaveLength(3);
    expect(told).toEqual(
      expect.arrayContaining([
        ['halve', 2, undefined],
        ['halve', 2, 'REMOTE_ERROR'],
        ['single', undefined, undefined],
      ]),
    );
    for (const call of calls) expect(call.durationMs).toBeGreaterThanOrEqual(call.queuedMs);
  });
});

describe.each(SINGLE_FILE)('without batches, over $name', (combination) => {
  const running = usePool(combination, { batch: { count: {} } }, 'contract/batches');

  it('gives a handler of batches one call at a time', async () => {
    const results = await Promise.all([2, 4].map((n) => running().pool.execute('halve', { n })));
    expect(results).toEqual([
      [1, 1],
      [2, 1],
    ]);
    const error = await failureOf(running().pool.execute('halve', { n: 3 }));
    expect(error).toMatchObject({ code: 'REMOTE_ERROR', remote: { message: '3 is odd' } });
  });

  it('refuses a command that the pool names, and says why', async () => {
    const error = await failureOf(running().pool.execute('count', [1]));
    expect(error).toMatchObject({ code: 'UNSUPPORTED', delivery: 'not-started' });
    expect(error.message).toMatch(/protocol v1, takes no batches; remove 'batch'/);
  });
});
