import { constants } from 'node:http2';

import { createSnakepit, grpc, type PoolOptions, type PoolService, type Snakepit } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, it } from 'vitest';

import { failureOf, received } from '../../support/outcomes.js';
import { ResettingProxy, type Fate } from '../../support/resetting-proxy.js';
import { ScriptedGrpcBridge } from '../../support/scripted-grpc-bridge.js';
import { json, ScriptedGrpcWorker } from '../../support/scripted-grpc-worker.js';

/** What the workers of a test have begun, each time that they did. */
interface Runs {
  calls: number;
  streams: number;
  /** So many calls, the first ones, are never answered. */
  readonly unanswered: number;
}

interface Server {
  readonly address: string;
  readonly stop: () => unknown;
}

const FIRST_CHUNK = 'the first chunk';

/** Servers that count what they run. */
const SERVERS = {
  async v2(runs: Runs): Promise<Server> {
    const worker = await ScriptedGrpcWorker.start({
      execute({ request: { id } }, answer, scripted) {
        runs.calls += 1;
        if (runs.calls > runs.unanswered) return answer(null, { body: json('done') });
        releaseWhenCancelled(scripted, id);
      },
      executeStream(call, scripted) {
        runs.streams += 1;
        call.write({ chunks: [{ data: json(FIRST_CHUNK) }] });
        releaseWhenCancelled(scripted, call.request.id);
      },
    });
    return { address: worker.address, stop: () => worker.stop() };
  },
  async v1(runs: Runs): Promise<Server> {
    const bridge = await ScriptedGrpcBridge.start({
      execute(_, answer) {
        runs.calls += 1;
        if (runs.calls > runs.unanswered)
          answer(null, { success: true, result: new Map([['result', Buffer.from('done')]]) });
      },
      executeStream(call) {
        runs.streams += 1;
        call.write({ chunk: new Map([['result', Buffer.from(FIRST_CHUNK)]]) });
      },
    });
    return { address: bridge.address, stop: () => bridge.stop() };
  },
} as const;

/** As workers of ours do: the RPC is over, and so is the call as soon as they are told. */
function releaseWhenCancelled(scripted: ScriptedGrpcWorker, id: number): void {
  void scripted
    .hearing(({ cancel }) => (cancel?.call === id ? cancel : undefined))
    .then(() => scripted.say({ released: { call: id, serviceUs: 1 } }));
}

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_ENHANCE_YOUR_CALM } = constants;
const RESETS = [
  { name: 'CANCEL', code: NGHTTP2_CANCEL },
  { name: 'INTERNAL_ERROR', code: NGHTTP2_INTERNAL_ERROR },
  { name: 'NO_ERROR', code: NGHTTP2_NO_ERROR },
  { name: 'ENHANCE_YOUR_CALM', code: NGHTTP2_ENHANCE_YOUR_CALM },
];

describe.each(['v1', 'v2'] as const)('a call over gRPC by protocol %s', (protocol) => {
  const closing: Array<() => unknown> = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  /** A pool before whose only server a proxy decides on the fate of the first call, or stream. */
  async function broken(
    fate: Fate,
    options: Partial<PoolOptions> = {},
    unanswered = 1,
  ): Promise<{ readonly pool: PoolService; readonly runs: Runs }> {
    const runs: Runs = { calls: 0, streams: 0, unanswered };
    const server = await SERVERS[protocol](runs);
    closing.push(server.stop);
    let isFirst = true;
    const proxy = await ResettingProxy.start(server.address.slice('unix:'.length), (path) => {
      if (!/\/Execute(Stream)?$/.test(path) || !isFirst) return undefined;
      isFirst = false;
      return fate;
    });
    closing.push(() => proxy.stop());
    const restart = { initialDelayMs: 10, maxDelayMs: 100, budget: 1_000 };
    const adapter = grpc({ address: proxy.address, protocol, ...(protocol === 'v2' && { codec: 'json' }) });
    const snakepit: Snakepit = await createSnakepit({ adapter, restart, queueTimeoutMs: 10_000, ...options });
    closing.push(() => snakepit.close());
    return { pool: snakepit.pool(), runs };
  }

  const done = protocol === 'v1' ? { result: 'done' } : 'done';
  const firstChunk = protocol === 'v1' ? { result: FIRST_CHUNK } : FIRST_CHUNK;

  it.each(RESETS)('that was reset by $name after it was sent is not made again', async ({ code }) => {
    const { pool, runs } = await broken({ kind: 'reset', code });
    expect(await failureOf(pool.execute('run'))).toMatchObject({ delivery: 'may-have-run' });
    expect(await pool.execute('run')).toEqual(done);
    expect(runs.calls).toBe(2);
  });

  it('whose connection was cut after it was sent is not made again', async () => {
    const { pool, runs } = await broken({ kind: 'cut' });
    expect(await failureOf(pool.execute('run'))).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run' });
    expect(await pool.execute('run')).toEqual(done);
    expect(runs.calls).toBe(2);
  });

  it('whose connection was cut after it was sent is made again where it is idempotent', async () => {
    const { pool, runs } = await broken({ kind: 'cut' });
    expect(await pool.execute('run', {}, { idempotent: true })).toEqual(done);
    expect(runs.calls).toBe(2);
  });

  it('that is idempotent is made no more often than maxAttempts', async () => {
    const { pool, runs } = await broken({ kind: 'cut' }, { maxAttempts: 1 });
    const error = await failureOf(pool.execute('run', {}, { idempotent: true }));
    expect(error).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run' });
    expect(runs.calls).toBe(1);
  });

  it.each(RESETS)('that is a stream and was reset by $name after an item is not begun again', async ({ code }) => {
    const { pool, runs } = await broken({ kind: 'reset-after', bytes: 1, code });
    const { items, error } = await received(pool.stream('walk', {}, { idempotent: true }));
    expect(items).toEqual([firstChunk]);
    expect(error).toMatchObject({ delivery: 'may-have-run' });
    expect(runs.streams).toBe(1);
  });

  it('that the server has refused to process certainly did not start, and may be made again', async () => {
    const { pool, runs } = await broken({ kind: 'refuse' }, {}, 0);
    const first = await pool.execute('run').catch((error: unknown) => error);
    // Over v1 the worker is given up, and the pool makes the call again by itself; over v2 the worker stays.
    if (protocol === 'v1') expect(first).toEqual(done);
    else expect(first).toMatchObject({ code: 'WORKER_LOST', delivery: 'not-started', retryable: true });
    expect(runs.calls).toBe(protocol === 'v1' ? 1 : 0);
  });
});
