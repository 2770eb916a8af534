import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  ruby,
  subscribe,
  type EventPayloads,
  type LogRecord,
  type PoolOptions,
  type RubyOptions,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { firstValueFrom, take, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startHost } from '../support/host-script.js';
import { failureOf, failureWithStacks, itemsOf, received } from '../support/outcomes.js';
import { pidIsAlive, sendSignal, untilGone } from '../support/processes.js';
import { waitUntil } from '../support/wait-until.js';

const module = fileURLToPath(new URL('../fixtures/ruby/commands.rb', import.meta.url));

interface Started {
  readonly snakepit: Snakepit;
  readonly logs: LogRecord[];
}

async function start(options: Partial<RubyOptions> = {}, pool: Partial<PoolOptions> = {}): Promise<Started> {
  const logs: LogRecord[] = [];
  const snakepit = await createSnakepit(
    { adapter: ruby({ module, ...options }), size: 1, ...pool },
    { log: (record) => logs.push(record) },
  );
  return { snakepit, logs };
}

/** Started before the tests of a block, and closed after them. */
function useWorkers(options: Partial<RubyOptions>, pool: Partial<PoolOptions> = {}) {
  let started: Started;
  beforeAll(async () => {
    started = await start(options, pool);
  });
  afterAll(() => started?.snakepit.close());
  return {
    logs: () => started.logs,
    pool: () => started.snakepit.pool(),
    snakepit: () => started.snakepit,
    execute: (command: string, args?: unknown, callOptions = {}) =>
      started.snakepit.pool().execute(command, args, callOptions),
  };
}

const VALUES = {
  null: null,
  integers: [0, -1, 2 ** 53 - 1],
  floats: [0.5, 1e300],
  text: 'naïve ☃ 🐍',
  nested: { rows: [{ id: 1, tags: ['a'] }], $int: 'not a tag' },
};
const RICH_VALUES = {
  large: [2n ** 63n, -(2n ** 63n)],
  odd: [Number.NaN, -0, Number.NEGATIVE_INFINITY],
  at: new Date(1_234_567_890_123),
};

describe.each([
  { protocol: 'v2', codec: 'msgpack' },
  { protocol: 'v2', codec: 'json' },
  { protocol: 'v1', codec: 'msgpack' },
  { protocol: 'v1', codec: 'json' },
] as const)('Ruby workers over $protocol $codec', ({ protocol, codec }) => {
  const { execute } = useWorkers({ protocol, codec }, { size: 2 });

  it('answer calls, many at once', async () => {
    const calls = Array.from({ length: 200 }, (_, index) => execute('add', { a: index, b: 1 }));
    expect(await Promise.all(calls)).toEqual(calls.map((_, index) => index + 1));
  });

  it('give values back as they came', async () => {
    expect(await execute('same', { value: VALUES })).toEqual(VALUES);
    if (protocol === 'v1' && codec === 'json') return;
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    expect(await execute('same', { value: RICH_VALUES })).toEqual(RICH_VALUES);
    expect(Buffer.from((await execute('same', { value: bytes })) as Uint8Array)).toEqual(Buffer.from(bytes));
    expect(Buffer.from((await execute('reverse', { bytes })) as Uint8Array)).toEqual(Buffer.from(bytes.toReversed()));
  });

  it('refuse arguments that do not fit, by name', async () => {
    for (const [command, args, message] of [
      ['subtract', { a: 1 }, /missing argument 'b'/],
      ['subtract', { a: 1, b: 2, c: 3 }, /unknown argument 'c'/],
      // Where types are declared, the host looks first, if it knows them.
      ['add', { a: '1', b: 2 }, /\ba\b.* integer/],
    ] as const) {
      const error = await failureOf(execute(command, args));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started' });
      expect(error.message).toMatch(message);
    }
  });

  it('tell of an exception its class, message, backtrace and data', async () => {
    const error = await failureOf(execute('fail', { message: 'no such month' }));
    expect(error).toMatchObject({
      code: 'REMOTE_ERROR',
      remote: { type: 'ReportError', message: 'no such month', data: { month: 13 } },
    });
    expect(error.remote?.traceback).toMatch(/commands\.rb:26:in .*no such month \(ReportError\)/);
  });
});

describe('a pool of Ruby workers', () => {
  const { execute, pool, logs, snakepit } = useWorkers({}, { size: 2, killGraceMs: 200, cancelGraceMs: 300 });

  it('knows what they run on', () => {
    const runtime = expect.stringMatching(/^ruby 3|^ruby [4-9]/) as string;
    expect(pool().workers()[0]).toMatchObject({ state: 'ready', language: 'ruby', runtime, codec: 'msgpack' });
  });

  it('runs calls in both workers at once', async () => {
    const pids = await Promise.all([execute('hold', { ms: 300 }), execute('hold', { ms: 300 })]);
    expect(new Set(pids).size).toBe(2);
  });

  it('streams, and closes a stream when its reader leaves', async () => {
    expect(await itemsOf(pool().stream('count', { n: 1_000 }))).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
    const closed = eventNamed('closed');
    expect(await firstValueFrom(pool().stream('endless').pipe(take(500), toArray()))).toHaveLength(500);
    await closed;
    expect((await received(pool().stream('count', {}))).error).toMatchObject({ code: 'INVALID_ARGUMENTS' });
  });

  it('keeps what sessions hold, and tells workers of their end', async () => {
    expect(await pool().executeInSession('ann', 'remember', { amount: 5 })).toBe(5);
    expect(await pool().executeInSession('ann', 'remember', { amount: 6 })).toBe(11);
    expect((await snakepit().sessions.get('ann')).metadata).toEqual({ amounts: [5, 6] });
    await snakepit().sessions.delete('ann');
    await waitUntil('the hook', async () => {
      const closed = await Promise.all([execute('closed'), execute('closed'), execute('closed')]);
      return closed.flat().includes('ann');
    });
  });

  it('lets them call tools', async () => {
    snakepit().tools.register('price.of', ({ sku }: { sku: string }) => {
      if (sku === 'none') throw new RangeError('no such thing');
      return { sku, price: 7 };
    });
    expect(await execute('price', { sku: 'x' })).toEqual({ sku: 'x', price: 7 });
    const error = await failureOf(execute('price', { sku: 'none' }));
    expect(error.remote).toMatchObject({
      type: 'Snakepit::ToolError',
      message: "the tool 'price_of' threw RangeError: no such thing",
    });
  });

  it('cancels a call that looks, and tells it of its deadline', async () => {
    const leaving = new AbortController();
    const seen = eventNamed('cancelled');
    const onProgress = (): void => leaving.abort();
    const error = await failureOf(execute('until_cancelled', {}, { signal: leaving.signal, onProgress }));
    expect(error).toMatchObject({ code: 'CANCELLED' });
    await seen;
    const late = eventNamed('cancelled');
    const [outcome] = await Promise.allSettled([execute('until_cancelled', {}, { timeoutMs: 100 })]);
    // Either side may see it first; a worker that does so answers.
    if (outcome.status === 'fulfilled') expect(outcome.value).toBe('stopped');
    else expect(outcome.reason).toMatchObject({ code: 'CALL_TIMEOUT' });
    expect((await late).data).toEqual({ left: 0 });
  });

  it('takes input and gathers batches', async () => {
    expect(await execute('total', {}, { input: Readable.from([Buffer.alloc(600_000)]) })).toBe(600_000);
    const outcomes = await Promise.allSettled([2, 3, 4].map((n) => execute('halve', { n })));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('logs what they print and log, with the call', async () => {
    await execute('say');
    await waitUntil('the print', () => logs().some(({ message }) => message === 'printed'));
    const record = await waitUntil('the record', () => logs().find(({ message }) => message === 'logged'));
    expect(record).toMatchObject({ level: 'warn', fields: { rows: 3 }, call: { command: 'say' } });
    expect(logs().find(({ message }) => message === 'by logger')).toMatchObject({ level: 'info' });
  });

  it('replaces one that was killed, and fails the call that it had', async () => {
    const [worker] = pool().workers();
    const lost = Promise.allSettled([execute('hold', { ms: 20_000 }), execute('hold', { ms: 20_000 })]);
    await waitUntil('both calls', () => pool().stats().inFlight === 2);
    const pids = pool()
      .workers()
      .map(({ pid }) => pid);
    for (const pid of pids) sendSignal(pid, 'SIGKILL');
    expect((await lost).map((outcome) => outcome.status)).toEqual(['rejected', 'rejected']);
    await waitUntil('two others', () => pool().stats().available === 2);
    expect(
      pool()
        .workers()
        .map(({ pid }) => pid),
    ).not.toContain(worker?.pid);
    expect(await execute('add', { a: 1, b: 2 })).toBe(3);
  });

  it('shows by the stacks of a worker where it hangs', async () => {
    const where = /commands\.rb:31:in /;
    const error = await failureWithStacks(() => execute('spin', {}, { timeoutMs: 300 }), where);
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT' });
    expect(error.details['workerStacks']).toMatch(where);
  });
});

describe('the end of Ruby workers', () => {
  it('comes in good order when their pool closes, and leaves nothing', async () => {
    const { snakepit, logs } = await start();
    const family = (await snakepit.pool().execute('family')) as number[];
    expect(family.every(pidIsAlive)).toBe(true);
    await snakepit.close();
    await untilGone(family);
    expect(logs.some(({ message }) => message === 'shutting down')).toBe(true);
  });

  it.runIf(process.platform === 'linux')('comes when their host is killed, whatever they do', async () => {
    const host = startHost(fileURLToPath(new URL('../fixtures/ruby/host.mjs', import.meta.url)), [module]);
    const { family } = await host.next<{ family: number[] }>();
    host.child.kill('SIGKILL');
    await untilGone(family);
  });
});

describe('a worker that cannot start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'snakepit-ruby-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const failureOfStart = (options: Partial<RubyOptions>) =>
    failureOf(start(options).then(({ snakepit }) => snakepit.close()));

  it.each([
    ['a syntax error', 'Snakepit.worker do\n  command(:add { 1 }\nend\n', /broken\.rb:2: syntax error/],
    [
      'two commands of one name',
      'Snakepit.worker do\n  command(:add) { 1 }\n  command(:add) { 2 }\nend\n',
      /two commands named 'add': .*broken\.rb:2 and .*broken\.rb:3; rename one/,
    ],
    ['a gem that is not there', "require 'no_such_gem'\n", /cannot load such file -- no_such_gem/],
  ])('says so with file and line: %s', async (_, source, message) => {
    const error = await failureOfStart({ module: file('broken.rb', source) });
    expect(error.code).toMatch(/POOL_NOT_READY|WORKER_START_FAILED/);
    expect(error.message).toMatch(message);
  });

  it('has gems by a Gemfile only, if one is named', async () => {
    const gemfile = file('Gemfile', '');
    const source = "require 'snakepit_bridge'\nSnakepit.worker { command(:gems) { Gem.loaded_specs.keys.sort } }\n";
    const { snakepit } = await start({ module: file('bundled.rb', source), gemfile });
    expect(await snakepit.pool().execute('gems')).not.toContain('msgpack');
    expect(snakepit.pool().workers()[0]).toMatchObject({ codec: 'json' });
    await snakepit.close();
    expect(await failureOfStart({ gemfile: join(folder, 'none') })).toMatchObject({ code: 'INVALID_OPTIONS' });
  });
});

/** The next event of that name that a worker emits. */
function eventNamed(name: string): Promise<EventPayloads['snakepit:worker-event']> {
  return new Promise((resolve) => {
    const unsubscribe = subscribe('snakepit:worker-event', (event) => {
      if (event.name !== name) return;
      unsubscribe();
      resolve(event);
    });
  });
}
