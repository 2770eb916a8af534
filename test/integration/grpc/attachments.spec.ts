import { createSnakepit, grpc, type PoolOptions, type PoolService, type Snakepit } from 'nestjs-snakepit/core';
import { afterEach, expect, it } from 'vitest';

import { failureOf } from '../../support/outcomes.js';
import { json, ScriptedGrpcWorker, type Script } from '../../support/scripted-grpc-worker.js';

const workers: ScriptedGrpcWorker[] = [];
let snakepit: Snakepit | undefined;
afterEach(async () => {
  await snakepit?.close();
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
});

async function worker(name: string, port = 0): Promise<ScriptedGrpcWorker> {
  const script: Script = { execute: (_call, answer) => answer(null, { body: json(name) }) };
  const started = await ScriptedGrpcWorker.start(script, `127.0.0.1:${port}`);
  workers.push(started);
  return started;
}

const at = ({ port }: ScriptedGrpcWorker): string => `127.0.0.1:${port}`;

async function attach(addresses: string | string[], options: Partial<PoolOptions> = {}): Promise<PoolService> {
  const adapter = grpc({ address: addresses });
  const restart = { initialDelayMs: 10, maxDelayMs: 50, budget: 100_000 };
  snakepit = await createSnakepit({ adapter, killGraceMs: 200, restart, ...options });
  return snakepit.pool();
}

const hellos = ({ heard }: ScriptedGrpcWorker): number => heard.filter(({ hello }) => hello !== undefined).length;

it('has as many connections as there are addresses unless `size` is given', async () => {
  const [a, b] = [await worker('a'), await worker('b')];
  const pool = await attach([at(a), at(b)]);
  expect(pool.stats()).toMatchObject({ size: 2, available: 2, pids: [] });
  expect([hellos(a), hellos(b)]).toEqual([1, 1]);
});

it('shares connections out evenly among the addresses', async () => {
  const [a, b] = [await worker('a'), await worker('b')];
  await attach([at(a), at(b)], { size: 5 });
  expect([hellos(a), hellos(b)].toSorted()).toEqual([2, 3]);
});

it('starts with one of two workers, and attaches to the other when that comes', async () => {
  const [a, b] = [await worker('a'), await worker('b')];
  const address = at(b);
  await b.stop();
  const pool = await attach([at(a), address]);
  expect(pool.stats()).toMatchObject({ status: 'degraded', available: 1 });
  expect(await pool.execute('run')).toBe('a');
  const again = await worker('b', b.port);
  await pool.ready(5_000);
  expect([hellos(a), hellos(again)]).toEqual([1, 1]);
});

it('attaches again when the worker was started again, and loses no call that waits', async () => {
  const first = await worker('first');
  const pool = await attach(at(first), { queueTimeoutMs: 5_000 });
  expect(await pool.execute('run')).toBe('first');
  await first.stop();
  await expect.poll(() => pool.stats().status).toBe('down');
  const waiting = pool.execute('run');
  await worker('second', first.port);
  expect(await waiting).toBe('second');
});

it('tells why it cannot attach, for as long as it cannot', async () => {
  const only = await worker('only');
  const pool = await attach(at(only));
  await only.stop();
  await expect.poll(() => pool.lastFailure?.message ?? '').toContain('Start the worker that is to listen at');
  const error = await failureOf(pool.ready(100));
  expect(error).toMatchObject({ code: 'POOL_NOT_READY' });
});

it('replaces a connection before it drops the old one when it is restarted', async () => {
  const only = await worker('only');
  const pool = await attach(at(only));
  const before = pool.workers().map(({ id }) => id);
  await pool.restart();
  expect(hellos(only)).toBe(2);
  expect(pool.workers().map(({ id }) => id)).not.toEqual(before);
  expect(await pool.execute('run')).toBe('only');
});
