import { Kind } from 'nestjs-snakepit/codec';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { fixture, WorkerProcess } from './worker-process.js';

interface Question {
  readonly name: string;
  readonly args: unknown;
  readonly concurrent: boolean;
}

describe.each(['msgpack', 'json'] as const)('tools of the host over a socket with %s', (codec) => {
  let worker: WorkerProcess;

  beforeAll(async () => {
    worker = await new WorkerProcess(codec, fixture('tools.mjs')).start();
  });
  beforeEach(() => {
    worker.frames.length = 0;
    worker.onHostCall = (frame) => {
      const { args } = frame.value as { args: Question };
      worker.send(Kind.HOST_RESULT, 0, frame.id, { name: args.name, args: args.args });
    };
  });
  afterAll(() => worker.kill());

  const failWith = (body: object): void => {
    worker.onHostCall = (frame) => worker.send(Kind.HOST_ERROR, 0, frame.id, body);
  };

  it('are asked on behalf of the call, and keep the worker from nothing', async () => {
    const { id, value } = await worker.call('price', null);
    expect(value).toEqual({ name: 'priceOf', args: { sku: 'x' } });
    expect(worker.of(Kind.HOST_CALL)).toEqual([
      { method: 'tool.call', args: { name: 'priceOf', args: { sku: 'x' }, concurrent: true }, call: id },
    ]);
  });

  it('take one value, or none, by any name', async () => {
    expect(await worker.call('bare', null)).toMatchObject({
      value: [
        { name: 'now', args: null },
        { name: 'price.of', args: 7 },
      ],
    });
    expect(await worker.call('atOnce', null)).toMatchObject({
      value: [0, 1, 2].map((args) => ({ name: 'priceOf', args })),
    });
  });

  it('refuse several values, and what cannot be sent, before anything is', async () => {
    expect(await worker.call('several', null)).toMatchObject({
      kind: Kind.ERROR,
      value: { type: 'TypeError', message: "tools take one value, such as an object; 'priceOf' got 2" },
    });
    expect(await worker.call('nonsense', null)).toMatchObject({
      value: { type: 'ToolError', data: { tool: 'priceOf', code: 'INVALID_ARGUMENTS' } },
    });
    expect(worker.of(Kind.HOST_CALL)).toEqual([]);
  });

  it('may be handed on by a promise', async () => {
    expect(await worker.call('handedOn', null)).toMatchObject({ value: ['undefined', true, 'undefined'] });
  });

  it('raise what they threw, with class, message and data', async () => {
    failWith({ code: 'REMOTE_ERROR', type: 'NotFoundException', message: 'none', data: { status: 404 } });
    expect(await worker.call('caught', null)).toMatchObject({
      value: [true, true, 'ToolError', 'priceOf', 'REMOTE_ERROR', 'NotFoundException', 'none', { status: 404 }],
    });
  });

  it('tell the caller where it came from when the command does not catch it', async () => {
    failWith({ code: 'REMOTE_ERROR', type: 'NotFoundException', message: 'none', data: { status: 404 } });
    expect(await worker.call('price', null)).toMatchObject({
      kind: Kind.ERROR,
      value: {
        code: 'REMOTE_ERROR',
        type: 'ToolError',
        message: "the tool 'priceOf' threw NotFoundException: none",
        data: { tool: 'priceOf', code: 'REMOTE_ERROR', type: 'NotFoundException', data: { status: 404 } },
      },
    });
    failWith({ code: 'UNKNOWN_TOOL', message: "there is no tool 'priceOf'" });
    expect(await worker.call('price', null)).toMatchObject({
      value: { message: "the tool 'priceOf' failed (UNKNOWN_TOOL): there is no tool 'priceOf'" },
    });
  });
});
