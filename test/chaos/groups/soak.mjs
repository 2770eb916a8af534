// Everything at once, for a long time: whether anything grows.
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { createSnakepit, isSnakepitError, node, python } from 'nestjs-snakepit/core';
import { firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';

import { bridgePackages } from '../../../tools/python-packages.mjs';
import { median } from '../../bench/support/statistics.mjs';
import { randomFrom } from '../support/random.mjs';

const CALLERS = 24;
const SESSIONS = 40;
const LONGEST_PAUSE_MS = 4;
const SAMPLE_EVERY_MS = 2_000;
const KILL_EVERY_MS = 5_000;
const RECYCLE_AFTER_CALLS = 2_000;
const BYTES = Buffer.alloc(1_000_000, 7);

const fixture = (name) => fileURLToPath(new URL(`../../fixtures/contract/${name}`, import.meta.url));
const [PYTHON, NODE] = [fixture('commands.py'), fixture('commands.js')];
const POOLS = {
  python: python({ module: PYTHON }),
  zygote: python({ module: PYTHON, zygote: true }),
  ancestor: python({ module: PYTHON, protocol: 'v1' }),
  node: node({ module: NODE }),
  'node gRPC': node({ module: NODE, transport: 'grpc' }),
  'python gRPC': python({ module: PYTHON, transport: 'grpc', path: [bridgePackages()] }),
};

/** What callers do, each with the check of its outcome; `pool` and `random` are given. */
const ACTS = [
  async ({ pool }) => expectEqual(await pool.execute('add', { a: 20, b: 22 }), 42),
  async ({ pool }) => expectEqual(await pool.execute('add_later', { a: 1, b: 2, ms: 5 }), 3),
  async ({ pool }) => expectCode(pool.execute('fail', { message: 'meant to' }), 'REMOTE_ERROR'),
  async ({ pool }) => expectCode(pool.execute('no_such_command'), 'UNKNOWN_COMMAND', 'REMOTE_ERROR'),
  // Where others wait already, such a call is shed at once.
  async ({ pool }) =>
    expectCode(pool.execute('doze', { ms: 400 }, { timeoutMs: 20 }), 'CALL_TIMEOUT', 'QUEUE_TIMEOUT', 'POOL_SATURATED'),
  async ({ pool, random }) => {
    const leaving = new AbortController();
    const { signal } = leaving;
    const call = pool.execute('doze', { ms: 100 }, { signal });
    const answeredInTime = call.then(
      () => !signal.aborted,
      () => false,
    );
    await sleep(random() * 10);
    leaving.abort();
    // A busy machine may sleep for longer than the worker dozes.
    if (!(await answeredInTime)) await expectCode(call, 'CANCELLED');
  },
  async ({ pool, random }) => {
    const session = `soak-${Math.floor(random() * SESSIONS)}`;
    await pool.executeInSession(session, 'add', { a: 1, b: 1 });
  },
];
/** What v1 cannot do. */
const V2_ACTS = [
  async ({ pool }) => expectEqual((await pool.execute('same', [BYTES])).length, BYTES.length),
  async ({ pool }) => expectEqual((await lastValueFrom(pool.stream('count', { to: 200 }).pipe(toArray()))).length, 200),
  async ({ pool }) =>
    expectEqual((await firstValueFrom(pool.stream('count', { to: 5_000 }).pipe(take(3), toArray()))).length, 3),
  async ({ pool }) => expectCode(lastValueFrom(pool.stream('fail_after', { items: 3 })), 'REMOTE_ERROR'),
  async ({ pool, random }) => {
    const session = `soak-${Math.floor(random() * SESSIONS)}`;
    await pool.executeInSession(session, 'session_add', { key: 'visits', amount: 1 });
  },
];
/** What a killed worker's callers may be told instead. */
const BY_KILLS = new Set(['WORKER_EXITED', 'WORKER_LOST']);

/**
 * Soaks six pools for `cycles` minutes in calls, streams that are left, sessions, megabytes, errors, deadlines, cancels, recycling and a
 * killed worker every five seconds. The figures divide the medians of the last minute by those around minute 2, the host's after a collection.
 */
export async function run({ cycles: minutes, seed, progress }) {
  const random = randomFrom(seed);
  const pools = Object.entries(POOLS).map(([name, adapter]) => [
    name,
    {
      adapter,
      size: 2,
      recycle: { maxCalls: RECYCLE_AFTER_CALLS },
      restart: { budget: 1_000_000 },
      taint: { enabled: false },
    },
  ]);
  const snakepit = await createSnakepit({ pools: Object.fromEntries(pools) });
  const over = new AbortController();
  const tally = { calls: 0, unexpected: [] };
  const began = performance.now();
  const end = began + minutes * 60_000;
  try {
    const names = Object.keys(POOLS);
    const working = [
      ...Array.from({ length: CALLERS }, () => act({ snakepit, names, random, over: over.signal, tally })),
      killNowAndThen({ snakepit, names, random, over: over.signal }),
    ];
    const samples = await sampleUntil(end, { snakepit, names, tally, began, progress });
    over.abort();
    await Promise.all(working);
    return {
      ...growth(samples, minutes * 60_000),
      soak_calls: tally.calls,
      soak_unexpected: tally.unexpected.length,
      notes: tally.unexpected.slice(0, 10),
    };
  } finally {
    over.abort();
    await snakepit.close();
  }
}

async function act({ snakepit, names, random, over, tally }) {
  while (!over.aborted) {
    const name = oneOf(names, random);
    const action = oneOf(name === 'ancestor' ? ACTS : [...ACTS, ...V2_ACTS], random);
    tally.calls += 1;
    try {
      await action({ pool: snakepit.pool(name), random });
    } catch (error) {
      if (!isSnakepitError(error) || !BY_KILLS.has(error.code)) tally.unexpected.push(`${name}: ${error.message}`);
    }
    await sleep(random() * LONGEST_PAUSE_MS);
  }
}

async function killNowAndThen({ snakepit, names, random, over }) {
  while (!over.aborted) {
    await sleep(KILL_EVERY_MS, undefined, { signal: over }).catch(() => {});
    const pids = snakepit.pool(oneOf(names, random)).stats().pids;
    if (!over.aborted && pids.length > 0) process.kill(oneOf(pids, random), 'SIGKILL');
  }
}

async function sampleUntil(end, { snakepit, names, tally, began, progress }) {
  const samples = [];
  while (performance.now() < end) {
    await sleep(Math.min(SAMPLE_EVERY_MS, Math.max(0, end - performance.now()) / 4 + 1));
    global.gc();
    const memories = await Promise.all(names.map((name) => snakepit.pool(name).memory()));
    samples.push({
      atMs: performance.now() - began,
      rss: process.memoryUsage.rss(),
      handles: openHandles(),
      workers: memories.reduce((sum, memory) => sum + memory.pssBytes, 0),
    });
    const { rss, handles } = samples.at(-1);
    progress(
      `${Math.round((end - performance.now()) / 1_000)} s left, ${tally.calls} calls, ${Math.round(rss / 1e6)} MB, ${handles} handles`,
    );
  }
  return samples;
}

/** Descriptors, and what else keeps the event loop alive; the pauses of the callers aside. */
function openHandles() {
  const resources = process.getActiveResourcesInfo().filter((name) => name !== 'Timeout' && name !== 'Immediate');
  return readdirSync('/proc/self/fd').length + resources.length;
}

function growth(samples, totalMs) {
  // Around minute 2 where there is one, else after a third.
  const [from, until] = totalMs >= 240_000 ? [90_000, 150_000] : [totalMs * 0.25, totalMs * 0.45];
  const lastFrom = totalMs - (until - from);
  const of = (key, isIn) => median(samples.filter(({ atMs }) => isIn(atMs)).map((sample) => sample[key]));
  const ratio = (key) => of(key, (at) => at >= lastFrom) / of(key, (at) => at >= from && at <= until);
  return { soak_rss_x: ratio('rss'), soak_handles_x: ratio('handles'), soak_workers_rss_x: ratio('workers') };
}

async function expectCode(call, ...codes) {
  const error = await call.then(
    (value) => new Error(`answered ${JSON.stringify(value)} instead of ${codes[0]}`),
    (thrown) => thrown,
  );
  if (!isSnakepitError(error) || !codes.includes(error.code)) throw error;
}

function expectEqual(found, expected) {
  if (found !== expected) throw new Error(`${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
}

function oneOf(list, random) {
  return list[Math.floor(random() * list.length)];
}
