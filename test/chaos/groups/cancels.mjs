// How soon a worker stops what nobody waits for any more: streams whose consumer leaves, and calls whose signal aborts.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { createSnakepit, isSnakepitError, node, python } from 'nestjs-snakepit/core';

import { bridgePackages } from '../../../tools/python-packages.mjs';

const pathOf = (name) => fileURLToPath(new URL(`../../fixtures/contract/${name}`, import.meta.url));
const STREAMS = ['ticks', 'ticks_later', 'endless'];
/** After which a command counts as one that was never told. */
const PATIENCE_MS = 10_000;
const POLL_MS = 2;

/**
 * Over `cycles` rounds, each with every stream and one call, in pools of each language and transport: `stream_closed_ms_p95` (from the
 * consumer's leaving to the generator's `finally`), `abort_seen_ms_p95` (from the abort to the command's knowing) and `abort_told_ms_p95`
 * (to the caller's).
 */
export async function measureCancels({ cycles = 40, progress = () => {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-cancels-'));
  const [py, js] = [{ module: pathOf('commands.py') }, { module: pathOf('commands.js') }];
  const adapters = {
    python: python(py),
    'python-grpc': python({ ...py, transport: 'grpc', path: [bridgePackages()] }),
    node: node(js),
    'node-grpc': node({ ...js, transport: 'grpc' }),
  };
  const pools = Object.fromEntries(Object.entries(adapters).map(([name, adapter]) => [name, { adapter, size: 1 }]));
  const snakepit = await createSnakepit({ pools });
  const times = { closed: [], seen: [], told: [] };
  try {
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      for (const name of Object.keys(pools)) {
        const pool = snakepit.pool(name);
        const path = (what) => join(folder, `${name}-${cycle}-${what}`);
        for (const command of STREAMS) times.closed.push(await leave(pool, command, path(command)));
        const { seen, told } = await abort(pool, path('call'));
        times.seen.push(seen);
        times.told.push(told);
      }
      progress(`cancels: ${cycle + 1} of ${cycles}`);
    }
  } finally {
    await snakepit.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    stream_closed_ms_p95: p95(times.closed),
    abort_seen_ms_p95: p95(times.seen),
    abort_told_ms_p95: p95(times.told),
  };
}

async function leave(pool, command, path) {
  let count = 0;
  for await (const _ of pool.iterate(command, command === 'endless' ? { path } : { path, ms: 2 })) {
    count += 1;
    if (count === 5) break;
  }
  // The loop's end is the leaving; it waits for nothing but that.
  const leftAt = Date.now();
  return (await entryWith(path, 'at')).at - leftAt;
}

async function abort(pool, path) {
  const controller = new AbortController();
  const call = pool.execute('until_cancelled', { path }, { signal: controller.signal }).catch((error) => error);
  await entryWith(path, 'began');
  const abortedAt = Date.now();
  controller.abort();
  const error = await call;
  const told = Date.now() - abortedAt;
  if (!isSnakepitError(error, 'CANCELLED')) throw new Error(`an aborted call ended otherwise: ${error}`);
  return { seen: (await entryWith(path, 'at')).at - abortedAt, told };
}

/** The first line with this member that a worker writes there. */
async function entryWith(path, member) {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
    const found = lines.map((line) => JSON.parse(line)).find((entry) => member in entry);
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`no '${member}' in ${path} after ${PATIENCE_MS} ms`);
    await sleep(POLL_MS);
  }
}

/** Of the worker's clock and ours, which may differ in the fraction: never less than 0. */
function p95(times) {
  return Math.max(0, Math.round(times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1]));
}

export async function run({ cycles, progress }) {
  return measureCancels({ cycles, progress });
}
