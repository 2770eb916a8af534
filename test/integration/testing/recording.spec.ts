import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createSnakepit, python, type Adapter, type PoolService, type Snakepit } from 'nestjs-snakepit/core';
import { ManualClock, record, replay, withFaults } from 'nestjs-snakepit/testing';
import { take } from 'rxjs';
import { afterAll, afterEach, describe, expect, inject, it, vi } from 'vitest';

import { failureOf, itemsOf, received } from '../../support/outcomes.js';
import { waitUntil } from '../../support/wait-until.js';

const MODULE = fileURLToPath(new URL('../../fixtures/contract/commands.py', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'snakepit-recording-'));
let files = 0;
const newFile = (): string => join(folder, `recording-${(files += 1)}.json`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const real = (): Adapter => python({ module: MODULE, path: [inject('pythonPackages')] });

const open = new Set<Snakepit>();
afterEach(async () => {
  await Promise.all([...open].map((snakepit) => snakepit.close()));
  open.clear();
  vi.unstubAllEnvs();
});

async function start(adapter: Adapter): Promise<Snakepit> {
  const snakepit = await createSnakepit({ adapter, size: 2 });
  open.add(snakepit);
  return snakepit;
}

/** Runs a story with some workers, and closes them. */
async function told<Told>(adapter: Adapter, story: (snakepit: Snakepit) => Promise<Told>): Promise<Told> {
  const snakepit = await start(adapter);
  try {
    return await story(snakepit);
  } finally {
    await snakepit.close();
  }
}

interface Failure {
  readonly code: string;
  readonly delivery: string;
  readonly message: string;
  readonly remote: unknown;
}

const failure = async (call: Promise<unknown>): Promise<Failure> => {
  const { code, delivery, message, remote } = await failureOf(call);
  return { code, delivery, message: message.replaceAll(/default-\d/g, 'default-n'), remote };
};

/** Everything that a worker can answer by. */
async function story(snakepit: Snakepit): Promise<Record<string, unknown>> {
  const pool: PoolService = snakepit.pool();
  const made = ['beyond safe', 'largest', 'nan', 'minus zero', 'binary', 'time', 'nested', 'tag-like', 'text'];
  const progress: unknown[] = [];
  const broken = await received(pool.stream('fail_after', { items: 3 }));
  return {
    sum: await pool.execute('add', { b: 2, a: 1 }),
    difference: await pool.execute('subtract', [5, 3]),
    made: await Promise.all(made.map((what) => pool.execute('make', { what }))),
    same: await pool.execute('same', [{ bytes: new Uint8Array([1, 2, 255]), at: new Date(1e12), big: 2n ** 60n }]),
    typed: await pool.execute('same', [new Float32Array([1.5, -2])]),
    steps: await pool.execute('steps', { total: 3 }, { onProgress: (value) => progress.push(value) }),
    progress,
    items: await itemsOf(pool.stream('count', { to: 200 })),
    none: await itemsOf(pool.stream('empty')),
    three: await itemsOf(pool.stream('count_later', { to: 1_000 }).pipe(take(3))),
    broken: { items: broken.items, remote: broken.error?.remote },
    raised: await failure(pool.execute('fail', { message: 'month must be in 1..12', data: { month: 13 } })),
    refused: await failure(pool.execute('subtract', [])),
    unsendable: await failure(pool.execute('unserializable')),
    unknown: (await failure(pool.execute('no_such_command'))).code,
    counted: [
      await pool.executeInSession('s', 'session_add', { key: 'n', amount: 2 }),
      await pool.executeInSession('s', 'session_add', { key: 'n', amount: 2 }),
      await pool.executeInSession('s', 'session_add', { key: 'n', amount: 2 }),
    ],
    session: (await snakepit.sessions.get('s')).metadata,
  };
}

describe('a recording of Python workers', () => {
  it('serves equal results, items, progress, errors and session data without Python', async () => {
    const file = newFile();
    const live = await told(record(real(), { file }), story);
    expect(live['raised']).toMatchObject({ code: 'REMOTE_ERROR', remote: { type: 'ReportError' } });
    expect((live['raised'] as Failure).remote).toHaveProperty('traceback', expect.stringContaining('commands.py'));
    expect(live['counted']).toEqual([2, 4, 6]);
    vi.stubEnv('PATH', '');
    const adapter = replay({ file });
    const replayed = await told(adapter, story);
    expect(replayed).toEqual(live);
    expect(Object.is((replayed['made'] as unknown[])[3], -0)).toBe(true);
    expect(adapter.misses).toEqual([]);
  });

  it('is the same file when the same is recorded again, whatever the order of concurrent calls', async () => {
    const run = async (order: readonly number[]): Promise<string> => {
      const file = newFile();
      await told(record(real(), { file }), (snakepit) =>
        Promise.all(order.map((n) => snakepit.pool().execute('add_later', { a: n, b: 1, ms: n }))),
      );
      return readFileSync(file, 'utf8');
    };
    const first = await run([3, 1, 2]);
    expect(await run([2, 3, 1])).toBe(first);
    expect(JSON.parse(first).calls.map(({ args }: { args: { a: number } }) => args.a)).toEqual([1, 2, 3]);
  });

  it('can be read by a person', async () => {
    const file = newFile();
    await told(record(real(), { file }), async (snakepit) => {
      await snakepit.pool().execute('same', [{ bytes: Buffer.from('hello'), big: 2n ** 60n, at: new Date(0) }]);
      await itemsOf(snakepit.pool().stream('count', { to: 2 }));
    });
    const { calls, format } = JSON.parse(readFileSync(file, 'utf8'));
    const value = {
      at: { $time: '1970-01-01T00:00:00.000Z' },
      big: { $int: '1152921504606846976' },
      bytes: { $bin: 'aGVsbG8=' },
    };
    expect(format).toBe('snakepit-recording/1');
    expect(calls).toEqual([
      { command: 'count', kind: 'stream', args: { to: 2 }, items: [0, 1], end: 'complete' },
      { command: 'same', kind: 'call', args: [value], result: value },
    ]);
  });

  it('keeps secrets out, and is found in spite of it', async () => {
    const file = newFile();
    const redact = (value: unknown) => JSON.parse(JSON.stringify(value).replaceAll('hunter2', '***')) as unknown;
    await told(record(real(), { file, redact }), (snakepit) =>
      snakepit.pool().execute('same', [{ password: 'hunter2' }]),
    );
    expect(readFileSync(file, 'utf8')).not.toContain('hunter2');
    const answer = told(replay({ file, redact }), (snakepit) =>
      snakepit.pool().execute('same', [{ password: 'hunter2' }]),
    );
    expect(await answer).toEqual({ password: '***' });
  });

  it('gives what nobody can change for the next one', async () => {
    const file = newFile();
    await told(record(real(), { file }), (snakepit) => snakepit.pool().execute('same', [{ list: [1] }]));
    await told(replay({ file }), async (snakepit) => {
      const first = await snakepit.pool().execute<{ list: number[] }>('same', [{ list: [1] }]);
      first.list.push(2);
      expect(await snakepit.pool().execute('same', [{ list: [1] }])).toEqual({ list: [1] });
    });
  });

  it('suspends a stream whose consumer does not read', async () => {
    const file = newFile();
    await told(record(real(), { file }), (snakepit) => itemsOf(snakepit.pool().stream('count', { to: 500 })));
    await told(replay({ file }), async (snakepit) => {
      const numbers: number[] = [];
      for await (const number of snakepit.pool().iterate<number>('count', { to: 500 })) numbers.push(number);
      expect(numbers).toHaveLength(500);
      const left: number[] = [];
      for await (const number of snakepit.pool().iterate<number>('count', { to: 500 }))
        if (left.push(number) === 3) break;
      await waitUntil('free hands', () => snakepit.pool().stats().available === 2);
    });
  });

  it('takes its time where that was recorded, on the clock of the pool', async () => {
    const file = newFile();
    await told(record(real(), { file, timing: true }), (snakepit) => snakepit.pool().execute('doze', { ms: 60 }));
    const clock = new ManualClock();
    const snakepit = await createSnakepit({ adapter: replay({ file, timing: true }), size: 1 }, { clock });
    open.add(snakepit);
    const call = snakepit.pool().execute('doze', { ms: 60 });
    await waitUntil('the call', () => snakepit.pool().stats().inFlight === 1);
    let isOver = false;
    void call.then(() => (isOver = true));
    clock.advance(30);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    await waitUntil('the timer', () => {
      clock.advance(100);
      return isOver;
    });
    expect(await call).toBe(60);
  });

  it('is left out what a lost worker did not answer', async () => {
    const file = newFile();
    const faulty = withFaults(real());
    await told(record(faulty, { file }), async (snakepit) => {
      faulty.faults.crashNext('add');
      expect(await snakepit.pool().execute('add', { a: 1, b: 2 }, { idempotent: true })).toBe(3);
    });
    expect(JSON.parse(readFileSync(file, 'utf8')).calls).toEqual([
      { command: 'add', kind: 'call', args: { a: 1, b: 2 }, result: 3 },
    ]);
  });
});

describe('a call that was not recorded', () => {
  const recorded = async (): Promise<string> => {
    const file = newFile();
    await told(record(real(), { file }), async (snakepit) => {
      await snakepit.pool().execute('add', { a: 1, b: 2 });
      await snakepit.pool().execute('add', { a: 10, b: 20 });
    });
    return file;
  };

  it('fails, and says what differs from the nearest one that was', async () => {
    const file = await recorded();
    const adapter = replay({ file });
    const { pool } = { pool: (await start(adapter)).pool() };
    const error = await failureOf(pool.execute('add', { a: 10, b: 21, c: null }));
    expect(error).toMatchObject({ code: 'REMOTE_ERROR', remote: { type: 'ReplayMiss' } });
    expect(error.message).toContain(`'add' was called with {"a":10,"b":21,"c":null}, which is not in ${file}`);
    expect(error.message).toContain('args.b is 21, and 20 in the recording');
    expect(error.message).toContain('args.c is null, and not there in the recording');
    expect(error.message).not.toContain('args.a');
    const other = await failureOf(pool.execute('subtract', [1, 2]));
    expect(other.message).toContain('has no call of it. Recorded are: add.');
    expect(adapter.misses).toHaveLength(2);
    expect((await received(pool.stream('add', { a: 1, b: 2 }))).error?.message).toContain('It is there as a call.');
  });

  it('goes to the workers of another adapter, if there is one', async () => {
    const file = await recorded();
    const altered = readFileSync(file, 'utf8').replace('"result": 3', '"result": 333');
    writeFileSync(file, altered);
    const adapter = replay({ file, onMiss: real() });
    const pool = (await start(adapter)).pool();
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(333);
    expect(await pool.execute('add', { a: 2, b: 2 })).toBe(4);
    expect(adapter.misses).toHaveLength(1);
  });

  it('is recorded when the file is refreshed, by the environment or by the option', async () => {
    const file = newFile();
    const sum = (a: number) => (snakepit: Snakepit) => snakepit.pool().execute('add', { a, b: 1 });
    vi.stubEnv('SNAKEPIT_REFRESH', '1');
    expect(await told(replay({ file, source: real() }), sum(1))).toBe(2);
    vi.unstubAllEnvs();
    expect(await told(replay({ file, source: real() }), sum(1))).toBe(2);
    expect(await told(replay({ file, source: real(), refresh: true }), sum(2))).toBe(3);
    expect(await told(replay({ file }), sum(2))).toBe(3);
    expect(() => replay({ file, refresh: true })).toThrow("give their adapter as 'source'");
  });
});

it.each([
  { what: 'is not there', write: undefined, says: 'SNAKEPIT_REFRESH=1' },
  { what: 'is no JSON', write: 'nonsense', says: 'cannot be read' },
  { what: 'is no recording', write: '{"calls": []}', says: "not 'snakepit-recording/1'" },
  { what: 'is empty', write: '{"format":"snakepit-recording/1","commands":[],"calls":[]}', says: 'is empty' },
])('a recording that $what stops the start, and the error says what to do', async ({ write, says }) => {
  const file = newFile();
  if (write !== undefined) writeFileSync(file, write);
  const error = await failureOf(start(replay({ file })));
  expect(error).toMatchObject({ code: 'MISUSE' });
  expect(error.message).toContain(file);
  expect(error.message).toContain(says);
});
