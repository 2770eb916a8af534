import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  grpc,
  isSnakepitError,
  python,
  type Delivery,
  type PoolOptions,
  type PoolService,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { CuttableProxy, ProxyDesk, type Cut } from '../../support/cuttable-proxy.js';
import { failureOf, received } from '../../support/outcomes.js';
import { entriesOf, entryWith, useScratch } from '../../support/records.js';
import { startStandalone } from '../../support/standalone-worker.js';
import { waitUntil } from '../../support/wait-until.js';

const FIXTURE = 'test/fixtures/integration/noted.py';
const module = fileURLToPath(new URL(`../../../${FIXTURE}`, import.meta.url));
const TOKEN = 'a-token';
const CUTS: readonly Cut[] = ['reset', 'end'];

/** A pool of one worker, and what stands between the two. */
interface Setting {
  readonly pool: PoolService;
  /** The proxy that the present connection goes through. */
  readonly proxy: () => CuttableProxy;
}

type Settings = Omit<PoolOptions, 'adapter'>;

interface Place {
  readonly name: string;
  open(options: Settings): Promise<Setting>;
}

const cleanUps: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function openPool(options: PoolOptions): Promise<Snakepit> {
  const restart = { initialDelayMs: 5, maxDelayMs: 50, budget: 100_000 };
  const snakepit = await createSnakepit({ size: 1, restart, queueTimeoutMs: 20_000, ...options });
  cleanUps.push(() => snakepit.close());
  return snakepit;
}

const PLACES: readonly Place[] = [
  {
    name: 'of its own',
    async open(options) {
      const desk = await ProxyDesk.open();
      cleanUps.push(() => desk.close());
      const env = { PROXY_CONTROL: desk.control };
      const adapter = python({ module, transport: 'grpc', path: [inject('pythonPackages')], env });
      const snakepit = await openPool({ ...options, adapter });
      return { pool: snakepit.pool(), proxy: () => desk.proxies.at(-1)! };
    },
  },
  {
    name: 'that somebody else has started',
    async open(options) {
      const worker = await startStandalone('python', '127.0.0.1:0', TOKEN, inject('pythonPackages'), [], FIXTURE);
      cleanUps.push(() => worker.kill());
      const proxy = await CuttableProxy.before(worker.address);
      cleanUps.push(() => proxy.close());
      const snakepit = await openPool({ ...options, adapter: grpc({ address: proxy.address, token: TOKEN }) });
      return { pool: snakepit.pool(), proxy: () => proxy };
    },
  },
];

interface Told {
  readonly name: number;
  readonly delivery: Delivery | 'answered';
  readonly code?: string;
}

describe.each(PLACES)('a connection over gRPC to a worker $name', ({ open }) => {
  const scratch = useScratch();

  it.each(CUTS)('that is cut by %s fails the call in hand with WORKER_LOST, and the pool recovers', async (how) => {
    const { pool, proxy } = await open({});
    // So many deaths of workers would be laid at the command's door, and it would be given to no other.
    for (let round = 0; round < 4; round += 1) {
      const path = scratch();
      const lost = failureOf(pool.execute('note_later', { path, name: 'a', ms: 60_000 }));
      await entryWith(path, 'ran');
      proxy().cut(how);
      expect(await lost).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run', retryable: true });
      expect(await pool.execute('note_later', { path, name: 'b', ms: 1 })).toBe('b');
    }
    expect(pool.stats()).toMatchObject({ inFlight: 0, queued: 0, status: 'up' });
  });

  it.each(CUTS)('that is cut by %s, again and again, tells every call the truth, once', async (how) => {
    const { pool, proxy } = await open({ concurrency: 8, maxQueue: 10_000 });
    const path = scratch();
    const told: Told[] = [];
    const over = new AbortController();
    let next = 0;
    const caller = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const name = (next += 1);
        told.push(await tell(pool.execute(name % 2 ? 'note' : 'note_later', { path, name, ms: 1 }), name));
      }
    };
    const callers = Array.from({ length: 16 }, caller);
    for (let round = 0; round < 6; round += 1) {
      const before = told.filter(({ delivery }) => delivery === 'answered').length;
      await waitUntil('calls in hand', () => pool.stats().inFlight > 1);
      await waitUntil('answers', () => told.filter(({ delivery }) => delivery === 'answered').length > before + 20);
      proxy().cut(how);
    }
    await waitUntil('answers', () => told.at(-1)?.delivery === 'answered');
    over.abort();
    await Promise.all(callers);

    const runs = new Map<unknown, number>();
    for (const { ran } of entriesOf(path)) if (ran !== undefined) runs.set(ran, (runs.get(ran) ?? 0) + 1);
    const possible = { answered: [1], ran: [1], 'not-started': [0], 'may-have-run': [0, 1] };
    for (const { name, delivery } of told) expect(possible[delivery]).toContain(runs.get(name) ?? 0);
    const codes = new Set(told.flatMap(({ code }) => code ?? []));
    expect([...codes]).toEqual(['WORKER_LOST']);
    expect(pool.stats()).toMatchObject({ inFlight: 0, queued: 0 });
  });

  it.each(CUTS)('that is cut by %s, again and again, costs idempotent calls nothing', async (how) => {
    const { pool, proxy } = await open({ concurrency: 8, maxQueue: 10_000, maxAttempts: 20 });
    const path = scratch();
    let answered = 0;
    const over = new AbortController();
    const caller = async (_: unknown, index: number): Promise<void> => {
      for (let count = 0; !over.signal.aborted; count += 1) {
        const name = `${index}-${count}`;
        const answer = await pool.execute('note_later', { path, name, ms: 1 }, { idempotent: true });
        expect(answer).toBe(name);
        answered += 1;
      }
    };
    const callers = Array.from({ length: 64 }, caller);
    for (let round = 0; round < 5; round += 1) {
      const before = answered;
      await waitUntil('answers', () => answered > before + 64);
      proxy().cut(how);
    }
    over.abort();
    await Promise.all(callers);
    expect(pool.stats().errors).toBe(0);
    expect(pool.stats().restarts).toBeGreaterThanOrEqual(5);
  });

  it.each(CUTS)(
    'that is cut by %s within a message of a stream gives its items up to there, and WORKER_LOST',
    async (how) => {
      const { pool, proxy } = await open({});
      const path = scratch();
      const stream = received(pool.stream('numbers', { path, to: 10_000_000 }));
      await waitUntil('the stream to begin', () => pool.stats().inFlight > 0);
      await proxy().cutAfter(20_001, how);
      const { items, error } = await stream;
      expect(error).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run' });
      expect(items.length).toBeGreaterThan(0);
      expect(items).toEqual(items.map((_, index) => index));
      expect(await pool.execute('note', { path, name: 'after' })).toBe('after');
    },
  );

  it.each(CUTS)('that is cut by %s within a large answer is tried again where that is allowed', async (how) => {
    const { pool, proxy } = await open({});
    const size = 4 * 2 ** 20;
    const call = pool.execute<string>('large', { size }, { idempotent: true });
    await proxy().cutAfter(size / 2, how);
    expect((await call).length).toBe(size);
    const lost = failureOf(pool.execute('large', { size }));
    await proxy().cutAfter(size / 2, how);
    expect(await lost).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run' });
  });

  it('over which nothing passes any more is found out by its heartbeat, and made anew when the network is back', async () => {
    const heartbeat = { heartbeatIntervalMs: 50, heartbeatTimeoutMs: 500 };
    const { pool, proxy } = await open({ ...heartbeat, startTimeoutMs: 5_000 });
    const path = scratch();
    const stalled = proxy();
    const lost = failureOf(pool.execute('note_later', { path, name: 'a', ms: 60_000 }));
    await entryWith(path, 'ran');
    stalled.stall();
    expect(await lost).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run' });
    const waiting = pool.execute('note', { path, name: 'b' });
    stalled.resume();
    expect(await waiting).toBe('b');
  });
});

describe('a worker that is shared', () => {
  const scratch = useScratch();

  it('cancels the calls of a host whose connection is cut', async () => {
    const { open } = PLACES[1]!;
    const { pool, proxy } = await open({});
    const path = scratch();
    const lost = failureOf(pool.execute('note_later', { path, name: 'a', ms: 60_000 }));
    await entryWith(path, 'ran');
    proxy().cut('reset');
    await lost;
    expect(await entryWith(path, 'cancelled')).toEqual({ cancelled: 'a' });
  });
});

async function tell(call: Promise<unknown>, name: number): Promise<Told> {
  try {
    await call;
    return { name, delivery: 'answered' };
  } catch (error) {
    if (!isSnakepitError(error)) throw error;
    return { name, delivery: error.delivery, code: error.code };
  }
}
