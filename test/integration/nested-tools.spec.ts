import { readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  node,
  python,
  type LogRecord,
  type PoolOptions,
  type PoolService,
  type Snakepit,
  type Tool,
} from 'nestjs-snakepit/core';
import { afterEach, describe, expect, it } from 'vitest';

import { failureOf } from '../support/outcomes.js';
import { waitUntil } from '../support/wait-until.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/integration/${name}`, import.meta.url));
const adapter = python({ module: fixture('nested.py') });

const opened = new Set<Snakepit>();
const logs: LogRecord[] = [];

async function start(pools: Record<string, Partial<PoolOptions>>, tools: (snakepit: Snakepit) => Record<string, Tool>) {
  logs.length = 0;
  const given = Object.entries(pools).map(([name, options]) => [name, { adapter, size: 1, ...options }] as const);
  const snakepit = await createSnakepit({ pools: Object.fromEntries(given) }, { log: (record) => logs.push(record) });
  opened.add(snakepit);
  for (const [name, tool] of Object.entries(tools(snakepit))) snakepit.tools.register(name, tool);
  return snakepit;
}

/** A pool whose tool `again` calls the command that its argument says. */
async function pool(options: Partial<PoolOptions> = {}, callOptions = {}): Promise<PoolService> {
  const snakepit = await start({ default: options }, (host) => ({
    again: (step: Step) => run(host.pool(), step, callOptions),
    quick: () => null,
    wait: (_: unknown, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  }));
  return snakepit.pool();
}

interface Step {
  readonly command: string;
  readonly args: unknown;
}

/** Calls of `command` one inside the other, `depth` of them beside the first, with `leaf` at the end. */
function chain(depth: number, command = 'through'): Step {
  if (depth === 0) return { command: 'leaf', args: { value: 'end' } };
  return { command, args: { tool: 'again', args: chain(depth - 1, command) } };
}

const run = (at: PoolService, { command, args }: Step, options = {}) => at.execute(command, args, options);

/** Workers that took part, the first one first. */
function workersOf(result: unknown): string[] {
  const { worker, result: inner } = result as { worker: string; result?: unknown };
  return inner === undefined ? [worker] : [worker, ...workersOf(inner)];
}

const isAlive = (pid: number): boolean => readdirSync('/proc').includes(String(pid));

/** Nothing is left of what was lent, and the pool is as it was. */
async function settled(at: PoolService, size: number): Promise<void> {
  await waitUntil('the end of lent workers', () => at.stats().workers === size && at.stats().lent === 0);
  expect(at.stats()).toMatchObject({ size, available: size, busy: 0, inFlight: 0, queued: 0, status: 'up' });
  expect(at.workers().map(({ inFlight }) => inFlight)).toEqual(Array.from({ length: size }, () => 0));
}

afterEach(async () => {
  await Promise.all([...opened].map((snakepit) => snakepit.close()));
  opened.clear();
});

describe('a tool that calls the pool of its only worker', () => {
  it('has the call run by a lent worker, which leaves when it has been idle', async () => {
    const at = await pool({ nested: { idleMs: 100 } });
    const { pids: before } = at.stats();
    const result = await run(at, chain(1));
    expect(workersOf(result)).toEqual(['default-1', 'default-2']);
    const lent = at.stats().pids.filter((pid) => !before.includes(pid));
    await settled(at, 1);
    expect(at.stats()).toMatchObject({ pids: before, restarts: 0 });
    if (process.platform === 'linux') expect(lent.filter(isAlive)).toEqual([]);
    expect(logs.map(({ message }) => message)).toContainEqual(expect.stringContaining('a further one is lent (1)'));
  });

  it('may do so three deep, with a worker for each', async () => {
    const at = await pool({ nested: { idleMs: 100 } });
    const result = await run(at, chain(3), { timeoutMs: 20_000 });
    expect(new Set(workersOf(result)).size).toBe(4);
    await settled(at, 1);
  });

  it('keeps the lent worker for the next nested call, and for no other', async () => {
    const at = await pool({ nested: { idleMs: 30_000 } });
    await run(at, chain(1));
    const { pids } = at.stats();
    expect(workersOf(await run(at, chain(1)))).toEqual(['default-1', 'default-2']);
    expect(at.stats()).toMatchObject({ pids, lent: 1, workers: 2, size: 1 });
    const workers = await Promise.all(Array.from({ length: 20 }, () => at.execute('doze', { ms: 5 })));
    expect(new Set(workers)).toEqual(new Set(['default-1']));
  });

  it('needs no further worker where the command that waits is asynchronous', async () => {
    const at = await pool();
    expect(workersOf(await run(at, chain(3, 'through_later')))).toEqual(Array(4).fill('default-1'));
    expect(at.stats().workers).toBe(1);
  });

  it('needs none in Node', async () => {
    const at = await pool({ adapter: node({ module: fixture('nested.js') }) });
    expect(workersOf(await run(at, chain(3)))).toEqual(Array(4).fill('default-1'));
    expect(at.stats().workers).toBe(1);
  });

  it('needs none where another worker is free', async () => {
    const at = await pool({ size: 2 });
    expect(workersOf(await run(at, chain(1))).toSorted()).toEqual(['default-1', 'default-2']);
    expect(at.stats().workers).toBe(2);
  });

  it('never has its call put behind the very call that waits for it, however fast both are', async () => {
    const at = await pool();
    // The command is known to be so fast that calls are put behind it.
    for (let round = 0; round < 20; round += 1)
      await Promise.all(Array.from({ length: 50 }, () => at.execute('leaf', {})));
    for (let n = 0; n < 200; n += 1) await run(at, { command: 'through', args: { tool: 'quick', args: null } });
    const results = await Promise.all(Array.from({ length: 20 }, () => run(at, chain(1), { timeoutMs: 20_000 })));
    for (const result of results) expect(new Set(workersOf(result)).size).toBe(2);
  });

  it('has its call go before those that wait', async () => {
    const at = await pool({ nested: { maxExtraWorkers: 0 }, size: 2 });
    const order: string[] = [];
    const noted = (name: string, call: Promise<unknown>) => call.then(() => order.push(name));
    const busy = at.execute('doze', { ms: 200 });
    const nested = noted('nested', run(at, chain(1)));
    await waitUntil('the nested call', () => at.stats().queued === 1);
    const others = Array.from({ length: 5 }, (_, n) => noted(`other ${n}`, at.execute('doze', { ms: 50 })));
    await Promise.all([busy, nested, ...others]);
    expect(order[0]).toBe('nested');
  });

  it('has its call go before those that wait where queues are not allowed at all', async () => {
    const at = await pool({ maxQueue: 0 });
    expect(workersOf(await run(at, chain(1)))).toHaveLength(2);
  });
});

describe('many calls that wait in tools at once', () => {
  it('all come to their ends, however many there are, and leave nothing behind', async () => {
    const at = await pool({ size: 2, nested: { idleMs: 100 } });
    const calls = Array.from({ length: 30 }, () => run(at, chain(3), { timeoutMs: 60_000 }));
    for (const result of await Promise.all(calls)) expect(workersOf(result)).toHaveLength(4);
    expect(at.stats().workers).toBeLessThanOrEqual(6);
    await settled(at, 2);
  });

  it('across pools that call each other', async () => {
    const snakepit: Snakepit = await start({ a: { nested: { idleMs: 100 } }, b: { nested: { idleMs: 100 } } }, () => ({
      'to.a': (step: Step) => run(snakepit.pool('a'), step),
      'to.b': (step: Step) => run(snakepit.pool('b'), step),
    }));
    const ping: Step = {
      command: 'through',
      args: { tool: 'to_b', args: { command: 'through', args: { tool: 'to_a', args: chain(0) } } },
    };
    const pong: Step = {
      command: 'through',
      args: { tool: 'to_a', args: { command: 'through', args: { tool: 'to_b', args: chain(0) } } },
    };
    const calls = Array.from({ length: 6 }, () => [run(snakepit.pool('a'), ping), run(snakepit.pool('b'), pong)]);
    for (const result of await Promise.all(calls.flat())) expect(workersOf(result)).toHaveLength(3);
    await settled(snakepit.pool('a'), 1);
    await settled(snakepit.pool('b'), 1);
  });
});

describe('a nested call that nobody could ever run', () => {
  it('fails at once with NESTED_DEADLOCK where no worker may be lent', async () => {
    const at = await pool({ nested: { maxExtraWorkers: 0 } });
    const error = await failureOf(run(at, chain(1)));
    expect(error.remote?.data).toMatchObject({
      tool: 'again',
      type: 'SnakepitError',
      data: { code: 'NESTED_DEADLOCK' },
    });
    expect(error.message).toContain("Raise 'nested.maxExtraWorkers' or 'size'");
    await settled(at, 1);
  });

  it('does not fail where a worker will be free by itself', async () => {
    const at = await pool({ size: 2, nested: { maxExtraWorkers: 0 } });
    const busy = at.execute('doze', { ms: 500 });
    expect(workersOf(await run(at, chain(1)))).toHaveLength(2);
    await busy;
  });

  it('does not fail while another tool, which waits for nothing of the kind, keeps a worker', async () => {
    const at = await pool({ size: 2, nested: { maxExtraWorkers: 0 } });
    const abort = new AbortController();
    const outside = failureOf(
      run(at, { command: 'through', args: { tool: 'wait', args: null } }, { signal: abort.signal }),
    );
    const inside = run(at, chain(1));
    await waitUntil('the nested call', () => at.stats().queued === 1);
    // Long enough for several looks after who is stuck.
    await setTimeout(200);
    expect(at.stats().queued).toBe(1);
    abort.abort();
    expect((await outside).code).toBe('CANCELLED');
    expect(workersOf(await inside)).toHaveLength(2);
  });

  it('fails in a session whose only worker waits for it, and says what to do', async () => {
    const at = await pool({ size: 2, affinity: 'strict-queue' }, { session: 's' });
    const error = await failureOf(run(at, chain(1), { session: 's' }));
    expect(error.message).toMatch(
      /the worker of session 's' is held by calls .*Call it outside of the session, make the command/,
    );
    await settled(at, 2);
  });

  it('runs in that session where the command that waits is asynchronous', async () => {
    const at = await pool({ size: 2, affinity: 'strict-queue' }, { session: 's' });
    const workers = workersOf(await run(at, chain(2, 'through_later'), { session: 's' }));
    expect(new Set(workers).size).toBe(1);
  });

  it('goes before those that wait for that worker, too', async () => {
    const at = await pool({ affinity: 'strict-queue', size: 2 }, { session: 's' });
    const outer = run(at, chain(1, 'through_later'), { session: 's' });
    const others = Array.from({ length: 3 }, () => at.execute('doze', { ms: 1 }, { session: 's' }));
    expect(new Set(workersOf(await outer)).size).toBe(1);
    await Promise.all(others);
  });

  it('fails at once where its session is new and would have to live on a lent worker', async () => {
    const at = await pool({ affinity: 'strict-queue' }, { session: 'new' });
    const error = await failureOf(run(at, chain(1)));
    expect(error.message).toContain("'leaf' was called inside a tool and would wait for ever");
    await settled(at, 1);
  });

  it('runs elsewhere where affinity is a hint', async () => {
    const at = await pool({}, { session: 's' });
    expect(new Set(workersOf(await run(at, chain(1), { session: 's' }))).size).toBe(2);
    expect(await at.execute('doze', { ms: 1 }, { session: 's' })).toBe('default-1');
  });

  it('is refused beyond nested.maxDepth', async () => {
    const at = await pool({ nested: { maxDepth: 2 } });
    expect(workersOf(await run(at, chain(2)))).toHaveLength(3);
    const error = await failureOf(run(at, chain(3)));
    expect(error.message).toContain(
      "'leaf' was called inside a tool in pool 'default', 3 calls deep; 'nested.maxDepth' is 2",
    );
  });
});

describe('when things go wrong around a nested call,', () => {
  it('a lent worker that dies costs its own call and nothing else', async () => {
    const at = await pool({ nested: { idleMs: 100 } });
    const error = await failureOf(
      run(at, { command: 'through', args: { tool: 'again', args: { command: 'die', args: null } } }),
    );
    expect(error.remote?.data).toMatchObject({ data: { code: 'WORKER_EXITED' } });
    expect(workersOf(await run(at, chain(1)))).toHaveLength(2);
    await settled(at, 1);
    expect(at.stats().restarts).toBe(0);
  });

  it('a worker that dies while it waits for a tool aborts the tool and what it calls', async () => {
    const at = await pool({ nested: { idleMs: 100 }, drainTimeoutMs: 100, killGraceMs: 100 });
    const outer = failureOf(
      run(at, { command: 'through', args: { tool: 'again', args: { command: 'doze', args: { ms: 60_000 } } } }),
    );
    await waitUntil('the nested call', () => at.stats().inFlight === 2);
    process.kill(at.workers()[0]?.pid ?? 0, 'SIGKILL');
    expect((await outer).code).toBe('WORKER_EXITED');
    await waitUntil('the nested call is cancelled', () => at.stats().cancelled === 1);
  });

  it('the end of the outer call cancels what is nested in it, and its time is that of the outer one', async () => {
    const at = await pool({ nested: { idleMs: 100 } });
    const step = { command: 'through', args: { tool: 'again', args: { command: 'doze', args: { ms: 400 } } } };
    const error = await failureOf(run(at, step, { timeoutMs: 300 }));
    expect(error.code).toBe('CALL_TIMEOUT');
    await settled(at, 1);
  });

  it('a lent worker that cannot start leads to NESTED_DEADLOCK, not to a start after the other', async () => {
    const at = await pool({ env: { NESTED_ONLY_ONE: '1' } });
    const error = await failureOf(run(at, chain(1)));
    expect(error.message).toContain('would wait for ever');
    expect(logs.filter(({ message }) => message.includes('is lent'))).toHaveLength(1);
  });

  it('a pool that is reloaded meanwhile gets along', async () => {
    const at = await pool({ nested: { idleMs: 30_000 } });
    await run(at, chain(1));
    const calls = Array.from({ length: 10 }, () => run(at, chain(2), { timeoutMs: 30_000 }));
    await at.reload();
    for (const result of await Promise.all(calls)) expect(workersOf(result)).toHaveLength(3);
    expect(at.stats().size).toBe(1);
  });
});
