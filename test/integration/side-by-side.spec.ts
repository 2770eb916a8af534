// Whether calls run at the same time is shown by calls that wait for each other, never by a clock.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  node,
  python,
  type PoolOptions,
  type PythonOptions,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { failureOf, failureWithStacks } from '../support/outcomes.js';
import { useScratch } from '../support/records.js';
import { waitUntil } from '../support/wait-until.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../fixtures/integration/${name}`, import.meta.url));
const CALLS = 12;

const scratch = useScratch();
const open = new Set<Snakepit>();
afterEach(async () => {
  await Promise.all([...open].map((snakepit) => snakepit.close()));
  open.clear();
});

async function start(options: Partial<PoolOptions> = {}, given: Partial<PythonOptions> = {}) {
  const adapter = python({ module: pathOf('side_by_side.py'), path: [inject('pythonPackages')], ...given });
  const snakepit = await createSnakepit({ adapter, size: 1, concurrency: CALLS, ...options });
  open.add(snakepit);
  return { pool: snakepit.pool(), snakepit };
}

const times = <Value>(count: number, make: (n: number) => Value): Value[] =>
  Array.from({ length: count }, (_, n) => make(n));

describe.each([
  ['asynchronous handlers', 'meet', {}],
  ['asynchronous handlers of a forked worker', 'meet', { zygote: true }],
  ['asynchronous handlers over gRPC', 'meet', { transport: 'grpc' }],
  ['plain handlers on threads', 'meet_plain', { threads: true }],
  ['plain handlers on threads of a forked worker', 'meet_plain', { threads: true, zygote: true }],
] as const)('%s', (_, meet, given) => {
  it('run at the same time in one worker, as many as the pool says', async () => {
    const { pool } = await start({}, given);
    expect(await Promise.all(times(CALLS, () => pool.execute(meet, { count: CALLS })))).toEqual(
      times(CALLS, () => true),
    );
  });

  it('leave the worker free for short calls, of plain handlers too', async () => {
    const { pool } = await start({}, given);
    for (let n = 0; n < 5; n += 1) await pool.execute('add', { a: n, b: 0 });
    const waiting = times(CALLS - 1, () => pool.execute(meet, { count: CALLS }));
    expect(await Promise.all(times(50, (n) => pool.execute('add', { a: n, b: 1 })))).toEqual(times(50, (n) => n + 1));
    expect(pool.stats()).toMatchObject({ inFlight: CALLS - 1 });
    expect(await pool.execute(meet, { count: CALLS })).toBe(true);
    expect(await Promise.all(waiting)).toEqual(times(CALLS - 1, () => true));
  });

  it('wait in the queue where no place is free', async () => {
    const { pool } = await start({ concurrency: 2, drainTimeoutMs: 50, killGraceMs: 50 }, given);
    const first = times(2, () => pool.execute(meet, { count: 3 }));
    const third = pool.execute(meet, { count: 3 }, { timeoutMs: 300 });
    expect(pool.stats()).toMatchObject({ inFlight: 2, queued: 1 });
    expect(await failureOf(third)).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'not-started' });
    void Promise.allSettled(first);
  });
});

describe('a worker that runs calls side by side', () => {
  it.each(['fd', 'grpc'] as const)(
    'runs plain handlers one at a time where they have no threads, whatever the pool says, over %s',
    async (transport) => {
      const { pool } = await start({ concurrency: 8 }, { transport });
      const path = scratch();
      const calls = times(2, () => pool.execute('until_file', { path }));
      expect(pool.stats()).toMatchObject({ inFlight: 1, queued: 1 });
      writeFileSync(path, '');
      await Promise.all(calls);
    },
  );

  it('runs asynchronous ones beside a plain one', async () => {
    const { pool } = await start({ concurrency: 8 });
    const path = scratch();
    const plain = pool.execute('until_file', { path });
    expect(await pool.execute('doze', { seconds: 0 })).toBeTypeOf('number');
    expect(pool.stats().inFlight).toBe(1);
    writeFileSync(path, '');
    await plain;
  });

  it('is one of several that get an even share', async () => {
    const { pool } = await start({ size: 3, concurrency: 4 });
    const pids = await Promise.all(times(12, () => pool.execute<number>('doze', { seconds: 0.2 })));
    const counts = new Map<number, number>();
    for (const pid of pids) counts.set(pid, (counts.get(pid) ?? 0) + 1);
    expect([...counts.values()]).toEqual([4, 4, 4]);
  });

  it.each([
    ['an asynchronous call, by CancelledError', 'until_cancelled', {}, 'cleaned up'],
    ['a call on a thread, by its context', 'until_told', { threads: true }, 'told'],
  ])('cancels %s', async (_, command, given, said) => {
    const { pool } = await start({}, given);
    const path = scratch();
    const beside = pool.execute('doze', { seconds: 0.2 });
    const abort = new AbortController();
    const call = failureOf(pool.execute(command, { path }, { signal: abort.signal }));
    await waitUntil('the call has begun', () => existsSync(path));
    abort.abort();
    expect(await call).toMatchObject({ code: 'CANCELLED' });
    await waitUntil('the handler has seen it', () => readFileSync(path, 'utf8') === said);
    expect(await beside).toBeTypeOf('number');
    await waitUntil('the place is free again', () => pool.stats().inFlight === 0);
  });

  it('has several streams in hand, each as far as its consumer goes', async () => {
    const { pool } = await start({ concurrency: 4 });
    const streams = times(3, () => pool.iterate<number>('ticks', { count: 1_000 }));
    for (const stream of streams) expect(await stream.next()).toEqual({ done: false, value: 0 });
    expect(pool.stats().inFlight).toBe(3);
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
    for (const stream of streams) await stream.return();
    await waitUntil('the places are free again', () => pool.stats().inFlight === 0);
  });

  it('lets asynchronous calls wait for tools without taking the place of others', async () => {
    const { pool, snakepit } = await start({ concurrency: 4 });
    const asked: Array<() => void> = [];
    snakepit.tools.register('price_of', () => new Promise<number>((resolve) => asked.push(() => resolve(7))));
    const calls = times(4, (n) => pool.execute('ask', { sku: n }));
    await waitUntil('all four have asked', () => asked.length === 4);
    for (const answer of asked) answer();
    expect(await Promise.all(calls)).toEqual([7, 7, 7, 7]);
  });

  it('shows by its stacks which of its threads hangs', async () => {
    const { pool } = await start({ cancelGraceMs: 150, killGraceMs: 150 }, { threads: true });
    const error = await failureWithStacks(() => pool.execute('hang_plain', null, { timeoutMs: 200 }), /in hang_plain/);
    expect(String(error.details['workerStacks'])).toMatch(/side_by_side\.py", line \d+ in hang_plain/);
  });

  it('fails what it had in hand when it crashes, tries again what is idempotent, and finds the culprit', async () => {
    const { pool } = await start({ concurrency: 8, taint: { deaths: 1 } });
    const doze = { seconds: 0.3 };
    const [plain, safe] = [failureOf(pool.execute('doze', doze)), pool.execute('doze', doze, { idempotent: true })];
    await waitUntil('both are in hand', () => pool.stats().inFlight === 2);
    expect(await failureOf(pool.execute('crash'))).toMatchObject({ code: 'WORKER_EXITED' });
    expect(await plain).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run' });
    expect(await safe).toBeTypeOf('number');
    // Both commands were suspects; one has been seen to end well, and the other dies alone.
    expect(await failureOf(pool.execute('crash'))).toMatchObject({ code: 'WORKER_EXITED' });
    expect(await failureOf(pool.execute('crash'))).toMatchObject({ code: 'COMMAND_TAINTED' });
    expect(await pool.execute('doze', { seconds: 0 })).toBeTypeOf('number');
  });

  it('finishes all that it has in hand when it is replaced', async () => {
    const { pool } = await start();
    const calls = times(CALLS, () => pool.execute<number>('doze', { seconds: 0.3 }));
    await waitUntil('all are in hand', () => pool.stats().inFlight === CALLS);
    await pool.restart();
    const before = new Set(await Promise.all(calls));
    expect(before.size).toBe(1);
    expect(before).not.toContain(await pool.execute('pid'));
  });

  it('updates the data of a session atomically, though its calls overlap', async () => {
    const { pool, snakepit } = await start({ affinity: 'strict-queue' });
    const session = await snakepit.sessions.create();
    const keys = times(CALLS, (n) => n);
    await Promise.all(keys.map((key) => pool.executeInSession(session.id, 'remember', { key })));
    const { metadata } = (await snakepit.sessions.get(session.id))!;
    expect((metadata['seen'] as number[]).toSorted((a, b) => a - b)).toEqual(keys);
  });

  it('runs handlers of Node at once, too', async () => {
    const snakepit = await createSnakepit({
      adapter: node({ module: pathOf('side_by_side.js') }),
      size: 1,
      concurrency: CALLS,
    });
    open.add(snakepit);
    const pool = snakepit.pool();
    expect(await Promise.all(times(CALLS, () => pool.execute('meet', { count: CALLS })))).toEqual(
      times(CALLS, () => CALLS),
    );
  });
});

describe('threads', () => {
  it('are refused where the pool runs one call at a time in a worker', async () => {
    const adapter = python({ module: pathOf('side_by_side.py'), threads: true });
    const error = await failureOf(createSnakepit({ adapter, size: 1 }));
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS' });
    expect(error.message).toMatch(/'python\.threads'.*'concurrency' is 1/);
  });

  it.each([{ protocol: 'v1' }, { transport: 'grpc' }] as const)('are refused with %o', (given) => {
    expect(() => python({ module: 'm.py', threads: true, ...given })).toThrow(/'python\.threads' needs/);
  });
});
