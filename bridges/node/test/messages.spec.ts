import { Kind } from 'nestjs-snakepit/codec';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { fixture, WorkerProcess } from './worker-process.js';

describe.each(['msgpack', 'json'] as const)('messages to the host over a socket with %s', (codec) => {
  let worker: WorkerProcess;

  beforeAll(async () => {
    worker = await new WorkerProcess(codec, fixture('messages.mjs')).start();
  });
  beforeEach(() => {
    worker.frames.length = 0;
    worker.onHostCall = (frame) => {
      const { args } = frame.value as { args: { pattern: unknown; data: unknown } };
      worker.send(Kind.HOST_RESULT, 0, frame.id, [args.pattern, args.data]);
    };
  });
  afterAll(() => worker.kill());

  const failWith = (body: object): void => {
    worker.onHostCall = (frame) => worker.send(Kind.HOST_ERROR, 0, frame.id, body);
  };

  it('are asked on behalf of the call, and keep the worker from nothing', async () => {
    const { id, value } = await worker.call('price', null);
    expect(value).toEqual(['price.lookup', { sku: 'x' }]);
    const args = { pattern: 'price.lookup', data: { sku: 'x' }, concurrent: true };
    expect(worker.of(Kind.HOST_CALL)).toEqual([{ method: 'message.send', args, call: id }]);
  });

  it('have a map for a pattern, too, and no data', async () => {
    expect(await worker.call('mapped', null)).toMatchObject({ value: [{ cmd: 'now' }, null] });
  });

  it('refuse what cannot be sent, before anything is', async () => {
    expect(await worker.call('nonsense', null)).toMatchObject({
      value: { type: 'MessageError', data: { pattern: 'price.lookup', code: 'INVALID_ARGUMENTS' } },
    });
    expect(worker.of(Kind.HOST_CALL)).toEqual([]);
  });

  it('raise what the handler threw, with message and data', async () => {
    failWith({ code: 'REMOTE_ERROR', type: 'RpcException', message: 'none', data: { status: 404 } });
    expect(await worker.call('caught', null)).toMatchObject({
      value: [true, true, 'MessageError', 'price.lookup', 'REMOTE_ERROR', 'RpcException', 'none', { status: 404 }],
    });
  });

  it('tell the caller where it came from when the command does not catch it', async () => {
    failWith({ code: 'REMOTE_ERROR', type: 'RpcException', message: 'none', data: { status: 404 } });
    expect(await worker.call('price', null)).toMatchObject({
      kind: Kind.ERROR,
      value: {
        code: 'REMOTE_ERROR',
        type: 'MessageError',
        message: "the message 'price.lookup' failed: none",
        data: { pattern: 'price.lookup', code: 'REMOTE_ERROR', type: 'RpcException', data: { status: 404 } },
      },
    });
    failWith({ code: 'UNKNOWN_PATTERN', message: 'nobody answers' });
    expect(await worker.call('mapped', null)).toMatchObject({
      value: { message: 'the message {"cmd":"now"} failed (UNKNOWN_PATTERN): nobody answers' },
    });
  });

  it('may be events, whose name is JSON where the pattern is a map', async () => {
    await worker.call('tell', null);
    expect(worker.of(Kind.EVENT)).toEqual([
      { name: 'order.done', data: { id: 7 } },
      { name: '{"order":"paid"}', data: null },
    ]);
  });
});
