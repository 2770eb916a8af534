import { status } from '@grpc/grpc-js';
import {
  createSnakepit,
  grpc,
  type LogRecord,
  type PoolOptions,
  type PoolService,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { afterEach, describe, expect, it } from 'vitest';

import { openGrpcChannel, Traffic, type ChannelCall } from '../../../libs/snakepit/src/channel/index.js';
import { systemClock } from '../../../libs/snakepit/src/core/index.js';
import { failureOf, received } from '../../support/outcomes.js';
import { failureStatus, json, ScriptedGrpcWorker, type Script } from '../../support/scripted-grpc-worker.js';

let worker: ScriptedGrpcWorker | undefined;
let snakepit: Snakepit | undefined;
const logs: LogRecord[] = [];

afterEach(async () => {
  await snakepit?.close();
  await worker?.stop();
  logs.length = 0;
});

async function attached(
  script: Script,
  options: Partial<PoolOptions> = {},
): Promise<{ pool: PoolService; worker: ScriptedGrpcWorker }> {
  worker = await ScriptedGrpcWorker.start(script);
  const adapter = grpc({ address: worker.address });
  snakepit = await createSnakepit({ adapter, cancelGraceMs: 200, ...options }, { log: (record) => logs.push(record) });
  return { pool: snakepit.pool(), worker };
}

describe('an answer', () => {
  it('is held back until everything that was said of the call before has come in', async () => {
    const order: unknown[] = [];
    const { pool } = await attached({
      execute({ request }, answer, scripted) {
        answer(null, { body: json('done'), serviceUs: 5, notices: 2 });
        setTimeout(() => {
          order.push('said');
          scripted.say({ progress: { call: request.id, value: { data: json(1) } } });
          scripted.say({ log: { call: request.id, level: 'info', message: 'late' } });
        }, 50);
      },
    });
    const result = await pool.execute('run', {}, { onProgress: (value) => order.push(value) });
    order.push(result);
    expect(order).toEqual(['said', 1, 'done']);
    expect(logs).toContainEqual(expect.objectContaining({ level: 'info', message: 'late' }));
  });

  it('that is a failure too large for metadata comes whole, from the control stream', async () => {
    const traceback = 'x'.repeat(20_000);
    const { pool } = await attached({
      execute({ request }, answer, scripted) {
        const head = { code: 'REMOTE_ERROR', message: 'it broke', notices: 1, abridged: true, started: true };
        answer(failureStatus(status.UNKNOWN, head));
        scripted.say({ failure: { call: request.id, failure: { ...head, type: 'ValueError', traceback } } });
      },
    });
    const error = await failureOf(pool.execute('run'));
    expect(error).toMatchObject({ code: 'REMOTE_ERROR', delivery: 'ran', remote: { type: 'ValueError', traceback } });
  });

  it('of a stream that ends well without its end is a protocol error', async () => {
    const { pool } = await attached({ executeStream: (call) => call.end() });
    const { error } = await received(pool.stream('walk'));
    expect(error).toMatchObject({ code: 'PROTOCOL_ERROR' });
    expect(error?.message).toContain('without its end');
  });
});

describe('an RPC that ends without the worker’s word', () => {
  it('leaves the call in the worker’s hands until the worker says that it is released', async () => {
    const { pool, worker: scripted } = await attached({
      execute: (_call, answer) => answer({ code: status.CANCELLED, details: 'by a proxy' }),
    });
    const call = failureOf(pool.execute('run'));
    const cancelled = await scripted.hearing(({ cancel }) => cancel);
    expect(pool.stats().inFlight).toBe(1);
    scripted.say({ released: { call: cancelled.call, serviceUs: 7 } });
    expect(await call).toMatchObject({ code: 'CANCELLED', delivery: 'may-have-run' });
    expect(pool.stats().inFlight).toBe(0);
  });

  it('at its deadline frees the worker only when that says so', async () => {
    const { pool, worker: scripted } = await attached({ execute() {} }, { cancelGraceMs: 10_000 });
    const error = await failureOf(pool.execute('run', {}, { timeoutMs: 100 }));
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT' });
    const { call, reason } = await scripted.hearing(({ cancel }) => cancel);
    expect([reason, pool.stats().inFlight]).toEqual([2, 1]);
    scripted.say({ released: { call, serviceUs: 7 } });
    await expect.poll(() => pool.stats().inFlight).toBe(0);
    expect(scripted.heard.filter(({ cancel }) => cancel !== undefined)).toHaveLength(1);
  });

  it.each([
    { code: status.RESOURCE_EXHAUSTED, expected: { code: 'FRAME_TOO_LARGE', delivery: 'may-have-run' } },
    { code: status.UNAVAILABLE, expected: { code: 'WORKER_LOST', delivery: 'may-have-run' } },
  ])('with status $code fails that call alone', async ({ code, expected }) => {
    const { pool } = await attached({
      execute({ request }, answer, scripted) {
        answer({ code, details: 'no' });
        void scripted.hearing(({ cancel }) => cancel).then(() => scripted.say({ released: { call: request.id } }));
      },
    });
    expect(await failureOf(pool.execute('run'))).toMatchObject(expected);
    expect(pool.stats().restarts).toBe(0);
  });

  it.each([
    { code: status.UNAUTHENTICATED, delivery: 'not-started' },
    { code: status.UNIMPLEMENTED, delivery: 'not-started' },
    { code: status.FAILED_PRECONDITION, delivery: 'not-started' },
    { code: status.INTERNAL, delivery: 'may-have-run' },
  ])('with status $code is a protocol error, and the worker is attached to anew', async ({ code, delivery }) => {
    const { pool } = await attached({ execute: (_call, answer) => answer({ code, details: 'no' }) });
    expect(await failureOf(pool.execute('run'))).toMatchObject({ code: 'PROTOCOL_ERROR', delivery });
    await expect.poll(() => pool.stats().restarts).toBe(1);
    await pool.ready(2_000);
  });
});

describe('the control stream', () => {
  it('that ends takes the calls in the worker’s hands with it, and is opened again', async () => {
    const { pool, worker: scripted } = await attached({ execute: (_call, _answer, it) => it.endControl() });
    const error = await failureOf(pool.execute('run'));
    expect(error).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run', retryable: true });
    await pool.ready(2_000);
    expect(scripted.heard.filter(({ hello }) => hello !== undefined).length).toBeGreaterThanOrEqual(2);
  });

  it('is closed in peace when the pool closes', async () => {
    // Else it waits out that grace, and this test with it.
    const { pool } = await attached({}, { killGraceMs: 60_000 });
    await snakepit?.close();
    expect(pool.stats().status).toBe('down');
  });
});

describe('a call that has not left the host', () => {
  it('is told apart from one that may have, when its channel is given up', async () => {
    worker = await ScriptedGrpcWorker.start();
    const silent = {
      traffic: new Traffic(),
      onLog() {},
      onEvent() {},
      onHostCall: () => Promise.resolve(null),
      onRoom() {},
      onFailed() {},
    };
    const channel = await openGrpcChannel(
      {
        target: { address: worker.address, token: undefined, tls: undefined, isOwn: false },
        name: { pool: 'p', worker: 'p-1' },
        codecs: ['json'],
        maxFrameBytes: 65_536,
        maxDepth: 8,
        streamCredit: 4,
        clock: systemClock,
      },
      silent,
    );
    const call = (args: unknown): ChannelCall => ({
      command: 'run',
      args,
      kind: 'call',
      meta: undefined,
      deadline: Infinity,
      onResult() {},
      onChunk() {},
      onEnd() {},
      onProgress() {},
      onFailure() {},
    });
    channel.send(call('first'));
    await new Promise(setImmediate);
    channel.send(call('second'));
    const left = channel.abandon().map(({ call: { args }, wasWritten }) => [args, wasWritten]);
    expect(left).toEqual([
      ['first', true],
      ['second', false],
    ]);
  });
});
