import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  grpc,
  node,
  python,
  type Adapter,
  type PoolOptions,
  type PoolService,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { fake, withFaults, type FaultyAdapter } from 'nestjs-snakepit/testing';
import { afterEach, describe, expect, inject, it, onTestFinished } from 'vitest';

import { identitiesOf } from '../../support/combinations.js';
import { failureOf, itemsOf } from '../../support/outcomes.js';
import { startStandalone } from '../../support/standalone-worker.js';
import { waitUntil } from '../../support/wait-until.js';

const pathOf = (name: string): string => fileURLToPath(new URL(`../../fixtures/contract/${name}`, import.meta.url));

const commands = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  *count({ to }: { to: number }) {
    for (let number = 0; number < to; number += 1) yield number;
  },
};

const TARGETS: readonly { readonly name: string; readonly make: () => FaultyAdapter }[] = [
  { name: 'fakes', make: () => fake({ commands }) },
  {
    name: 'Python',
    make: () => withFaults(python({ module: pathOf('commands.py'), path: [inject('pythonPackages')] })),
  },
  { name: 'Node.js', make: () => withFaults(node({ module: pathOf('commands.js') })) },
];

let snakepit: Snakepit | undefined;
afterEach(() => snakepit?.close());

async function start(adapter: Adapter, options: Partial<PoolOptions> = {}): Promise<PoolService> {
  const short = { cancelGraceMs: 50, killGraceMs: 50, restart: { initialDelayMs: 1, maxDelayMs: 10, budget: 100 } };
  snakepit = await createSnakepit({ adapter, size: 2, ...short, ...options });
  return snakepit.pool();
}

const whole = (pool: PoolService) => waitUntil('a whole pool', () => pool.stats().available === 2);
const add = (pool: PoolService, options = {}): Promise<unknown> => pool.execute('add', { a: 1, b: 2 }, options);

describe.each(TARGETS)('faults of $name', ({ name, make }) => {
  it('crash the worker of the next call, and of that alone', async () => {
    const adapter = make();
    const pool = await start(adapter);
    const before = identitiesOf(pool);
    const fault = adapter.faults.crashNext('add');
    expect(await itemsOf(pool.stream('count', { to: 2 }))).toEqual([0, 1]);
    const error = await failureOf(add(pool));
    expect(error).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run', httpStatus: 503 });
    expect(error.details['exit']).toContain(
      name === 'fakes' ? 'signal SIGSEGV' : 'signal SIGKILL (not sent by this host',
    );
    expect(fault.hits).toBe(1);
    await whole(pool);
    expect(await add(pool)).toBe(3);
    expect(identitiesOf(pool).filter((each) => before.includes(each))).toHaveLength(1);
  });

  it('crash the worker of an idempotent call, which is made again elsewhere', async () => {
    const adapter = make();
    const pool = await start(adapter);
    const fault = adapter.faults.crashNext();
    expect(await add(pool, { idempotent: true })).toBe(3);
    expect(fault.hits).toBe(1);
  });

  it('let a call hang until its deadline, and have its worker replaced', async () => {
    const adapter = make();
    const pool = await start(adapter);
    const before = identitiesOf(pool);
    const fault = adapter.faults.hang('add');
    const error = await failureOf(add(pool, { timeoutMs: 100 }));
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', delivery: 'may-have-run', httpStatus: 504 });
    await waitUntil('a replacement', () => identitiesOf(pool).some((each) => !before.includes(each)));
    fault.clear();
    await whole(pool);
    expect(await add(pool)).toBe(3);
  });

  it('let a call go that hangs, when they are cleared', async () => {
    const adapter = make();
    const pool = await start(adapter);
    const before = identitiesOf(pool);
    const fault = adapter.faults.hang();
    const call = add(pool);
    const items = itemsOf(pool.stream('count', { to: 300 }));
    await waitUntil('both', () => fault.hits === 2);
    fault.clear();
    expect(await call).toBe(3);
    expect(await items).toHaveLength(300);
    expect(identitiesOf(pool)).toEqual(before);
  });

  it('delay answers and items, as long as they are not cleared', async () => {
    const adapter = make();
    const pool = await start(adapter);
    const fault = adapter.faults.delay('add', 60);
    const startedAt = performance.now();
    expect(await add(pool)).toBe(3);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(55);
    expect(await failureOf(add(pool, { timeoutMs: 20 }))).toMatchObject({ code: 'CALL_TIMEOUT' });
    await whole(pool);
    fault.clear();
    expect(fault.hits).toBe(2);
    adapter.faults.delay('count', 20);
    expect(await itemsOf(pool.stream('count', { to: 300 }))).toHaveLength(300);
  });

  it('fail the next call as a command that raises does', async () => {
    const adapter = make();
    const pool = await start(adapter);
    adapter.faults.failNext('add', Object.assign(new RangeError('no more'), { data: { left: 0 } }));
    const raised = await failureOf(add(pool));
    expect(raised).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'ran', httpStatus: 500 });
    expect(raised.remote).toMatchObject({ type: 'RangeError', message: 'no more', data: { left: 0 } });
    expect(raised.remote?.traceback).toContain('faults.spec.ts');
    expect(raised.message).toContain("'add' raised RangeError: no more");
    adapter.faults.failNext('add', { code: 'INVALID_ARGUMENTS', message: 'a must be positive' });
    const refused = await failureOf(add(pool));
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENTS', delivery: 'not-started', httpStatus: 422 });
    expect(await add(pool)).toBe(3);
  });

  it('fail no call that could not have been sent', async () => {
    const adapter = make();
    const pool = await start(adapter);
    adapter.faults.failNext(undefined, new Error('never seen'), { times: 2 });
    const error = await failureOf(pool.execute('add', { a: () => 1 }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENTS', details: { path: 'args.a' } });
    expect(await failureOf(pool.execute('typo'))).toMatchObject({ code: 'UNKNOWN_COMMAND' });
  });

  it('break the protocol, which costs the worker', async () => {
    const adapter = make();
    const pool = await start(adapter);
    adapter.faults.breakProtocol('add');
    expect(await failureOf(add(pool))).toMatchObject({
      code: 'PROTOCOL_ERROR',
      delivery: 'may-have-run',
      httpStatus: 502,
    });
    await whole(pool);
    expect(await add(pool)).toBe(3);
  });

  it('drop connections', async () => {
    const adapter = make();
    const pool = await start(adapter);
    adapter.faults.delay('add', 10_000);
    const held = failureOf(add(pool));
    await waitUntil('the held call', () => pool.stats().inFlight === 1);
    expect(adapter.faults.dropConnection()).toHaveLength(2);
    expect(await held).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run' });
    adapter.faults.clear();
    await whole(pool);
    expect(await add(pool)).toBe(3);
  });

  it('kill all workers, or the one that is named', async () => {
    const adapter = make();
    const pool = await start(adapter);
    const [first] = pool.workers();
    expect(adapter.faults.killWorker(first?.id)).toEqual([first?.id]);
    await waitUntil('its end', () => pool.workers().every(({ id }) => id !== first?.id));
    await whole(pool);
    const before = identitiesOf(pool);
    expect(adapter.faults.killWorker()).toHaveLength(2);
    expect(() => adapter.faults.killWorker('nobody')).toThrow("no worker 'nobody'");
    await waitUntil('replacements', () => !identitiesOf(pool).some((each) => before.includes(each)));
    await whole(pool);
    expect(await add(pool)).toBe(3);
  });

  it('freeze workers, whose heartbeat is then missed', async () => {
    const adapter = make();
    const pool = await start(adapter, { heartbeatIntervalMs: 30, heartbeatTimeoutMs: 150 });
    const before = identitiesOf(pool);
    adapter.faults.freezeWorker();
    await waitUntil('replacements', () => !identitiesOf(pool).some((each) => before.includes(each)));
    await whole(pool);
    expect(await add(pool)).toBe(3);
  });

  it('freeze workers, which go on when that is cleared', async () => {
    const adapter = make();
    const pool = await start(adapter);
    const before = identitiesOf(pool);
    const fault = adapter.faults.freezeWorker();
    const call = add(pool);
    await sleep(30);
    expect(pool.stats().inFlight).toBe(1);
    fault.clear();
    expect(await call).toBe(3);
    expect(identitiesOf(pool)).toEqual(before);
  });

  it('keep all workers busy, so that calls wait until their time in the queue is over', async () => {
    const adapter = make();
    const pool = await start(adapter, { queueTimeoutMs: 80 });
    const fault = adapter.faults.occupy();
    const error = await failureOf(add(pool));
    expect(error).toMatchObject({ code: 'QUEUE_TIMEOUT', delivery: 'not-started', httpStatus: 503 });
    const waiting = add(pool);
    fault.clear();
    expect(await waiting).toBe(3);
  });

  it('keep also those workers busy that come later', async () => {
    const adapter = make();
    const pool = await start(adapter, { queueTimeoutMs: 5_000 });
    const fault = adapter.faults.occupy();
    const calls = [add(pool), add(pool), add(pool)];
    const before = identitiesOf(pool);
    adapter.faults.killWorker();
    await waitUntil('replacements', () => !identitiesOf(pool).some((each) => before.includes(each)));
    await waitUntil('their start', () => pool.workers().every(({ state }) => state === 'ready'));
    await sleep(20);
    expect(pool.stats()).toMatchObject({ succeeded: 0 });
    fault.clear();
    expect(await Promise.all(calls)).toEqual([3, 3, 3]);
  });

  it('fill the queue, so that calls are refused', async () => {
    const adapter = make();
    const pool = await start(adapter, { maxQueue: 20, queueTimeoutMs: 100 });
    const fault = adapter.faults.saturate(pool);
    expect(pool.stats().queued).toBe(20);
    expect(await failureOf(add(pool))).toMatchObject({
      code: 'POOL_SATURATED',
      delivery: 'not-started',
      httpStatus: 503,
    });
    // Longer than a call may wait.
    await sleep(150);
    expect(await failureOf(add(pool))).toMatchObject({ code: 'POOL_SATURATED' });
    fault.clear();
    expect(pool.stats().queued).toBe(0);
    expect(await add(pool)).toBe(3);
  });

  it('refuse the start: of all workers, which fails the boot with the reason', async () => {
    const adapter = make();
    adapter.faults.refuseStart(2, 'the model file is missing');
    const error = await failureOf(start(adapter));
    expect(error).toMatchObject({ code: 'WORKER_START_FAILED' });
    expect(error.message).toContain('the model file is missing');
  });

  it('refuse the start: of replacements, so that calls are refused once none is expected', async () => {
    const adapter = make();
    const restart = { initialDelayMs: 1, maxDelayMs: 5, budget: 3 };
    const pool = await start(adapter, { restart });
    const fault = adapter.faults.refuseStart(Infinity);
    adapter.faults.killWorker();
    await waitUntil('the budget to be used up', async () => {
      const error = await add(pool, { timeoutMs: 50 }).catch((thrown: unknown) => thrown);
      return (error as { code?: string }).code === 'POOL_NOT_READY';
    });
    fault.clear();
    await whole(pool);
    expect(await add(pool)).toBe(3);
  });
});

describe.each([
  { name: 'protocol v1', wire: { protocol: 'v1' } as const, isGrpc: false },
  { name: 'gRPC', wire: { transport: 'grpc' } as const, isGrpc: true },
])('faults of Python over $name', ({ wire, isGrpc }) => {
  const make = () => withFaults(python({ module: pathOf('commands.py'), path: [inject('pythonPackages')], ...wire }));

  it('are those of any other worker, as far as can be', async () => {
    const adapter = make();
    const pool = await start(adapter);
    adapter.faults.crashNext('add');
    expect(await failureOf(add(pool))).toMatchObject({ code: 'WORKER_EXITED', delivery: 'may-have-run' });
    await whole(pool);
    const hanging = adapter.faults.hang('add');
    expect(await failureOf(add(pool, { timeoutMs: 100 }))).toMatchObject({ code: 'CALL_TIMEOUT' });
    hanging.clear();
    await whole(pool);
    adapter.faults.breakProtocol();
    const error = await failureOf(add(pool));
    expect(error).toMatchObject(isGrpc ? { code: 'MISUSE', delivery: 'not-started' } : { code: 'PROTOCOL_ERROR' });
    if (isGrpc) expect(error.message).toContain('bytes cannot be put into a connection over gRPC');
    await whole(pool);
    const before = identitiesOf(pool);
    adapter.faults.dropConnection();
    await waitUntil('replacements', () => !identitiesOf(pool).some((each) => before.includes(each)));
    await whole(pool);
    expect(await add(pool)).toBe(3);
  });
});

it('faults of workers that somebody else has started drop the connection, and kill nobody', async () => {
  const worker = await startStandalone('node', '127.0.0.1:0', 'a-token-of-the-team', inject('pythonPackages'));
  onTestFinished(() => worker.kill());
  const adapter = withFaults(grpc({ address: worker.address, token: 'a-token-of-the-team' }));
  const pool = await start(adapter);
  adapter.faults.crashNext();
  expect(await failureOf(add(pool))).toMatchObject({ code: 'MISUSE', delivery: 'not-started' });
  expect(() => adapter.faults.killWorker()).toThrow('it has no process of this host');
  adapter.faults.delay('add', 10_000);
  const held = failureOf(add(pool));
  await waitUntil('the held call', () => pool.stats().inFlight === 1);
  adapter.faults.dropConnection();
  expect(await held).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run' });
  adapter.faults.clear();
  await whole(pool);
  expect(await add(pool)).toBe(3);
});
