import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ByteWriter,
  createCodec,
  encodeV1Request,
  MessageReader,
  negotiationFrame,
  parseNegotiationReply,
  parseV1Reply,
  type Codec,
  type CodecName,
  type V1Reply,
} from 'nestjs-snakepit/codec';

import { fixture } from './worker-process.js';

const WORKER = fileURLToPath(new URL('../dist/worker.js', import.meta.url));

/** A real worker process over stdin and stdout. */
class V1Process {
  readonly child: ChildProcess;
  codec: Codec;
  stderr = '';
  readonly #reader = new MessageReader(1 << 24);
  readonly #messages: Buffer[] = [];
  #lastId = 0;

  constructor(codec: CodecName, args: readonly string[]) {
    this.codec = createCodec(codec, { maxDepth: 64 }, { plainJson: true });
    this.child = spawn(process.execPath, [WORKER, ...args], { stdio: 'pipe', detached: true });
    this.child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.child.stdout!.on('data', (chunk: Buffer) =>
      this.#reader.push(chunk, {
        onMessage: (bytes, start, end) => this.#messages.push(Buffer.from(bytes.subarray(start, end))),
      }),
    );
  }

  async message(): Promise<Buffer> {
    while (this.#messages.length === 0) await once(this.child.stdout!, 'data');
    return this.#messages.shift()!;
  }

  async negotiate(): Promise<CodecName | undefined> {
    this.child.stdin!.write(negotiationFrame());
    const reply = await this.message();
    const selected = parseNegotiationReply(reply, 0, reply.length);
    this.codec = createCodec(selected ?? 'json', { maxDepth: 64 }, { plainJson: true });
    return selected;
  }

  async call(command: string, args: unknown): Promise<V1Reply> {
    const out = new ByteWriter();
    encodeV1Request(this.codec, { id: (this.#lastId += 1), command, args }, new Date().toISOString(), out);
    this.child.stdin!.write(out.take());
    const reply = await this.message();
    return parseV1Reply(this.codec.decode(reply, 0, reply.length, 0));
  }
}

let worker: V1Process;
afterEach(() => {
  const { child } = worker;
  if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, 'SIGKILL');
});

describe.each(['json', 'msgpack'] as const)('a Node worker over stdio with %s', (codec) => {
  const start = (): V1Process => {
    worker = new V1Process(codec, ['--module', fixture('commands.mjs'), '--protocol', codec]);
    return worker;
  };

  it('answers calls one after another with their ids', async () => {
    start();
    expect(await worker.call('sum', [1, 2])).toEqual({ id: 1, success: true, result: 3 });
    expect(await worker.call('addAsync', { a: 1, b: 2 })).toEqual({ id: 2, success: true, result: 3 });
    expect(await worker.call('nothing', {})).toEqual({ id: 3, success: true, result: null });
  });

  it('answers ping though the module has none', async () => {
    start();
    expect(await worker.call('ping', {})).toMatchObject({ success: true, result: { status: 'ok' } });
  });

  it('tells of failures with their details', async () => {
    start();
    expect(await worker.call('raise', {})).toMatchObject({
      success: false,
      message: 'month must be in 1..12',
      details: { code: 'REMOTE_ERROR', type: 'RangeError', data: { month: 13 } },
    });
    expect(await worker.call('missing', {})).toMatchObject({ details: { code: 'UNKNOWN_COMMAND' } });
    expect(await worker.call('unsendable', {})).toMatchObject({ details: { code: 'INVALID_RESULT' } });
    expect(await worker.call('raiseUnsendableData', {})).toMatchObject({ message: 'with data' });
    expect(await worker.call('count', { to: 1 })).toMatchObject({ details: { code: 'INVALID_ARGUMENTS' } });
    expect(await worker.call('increment', { key: 'k' })).toMatchObject({ message: expect.stringContaining('v2') });
  });

  it('keeps prints out of the replies', async () => {
    start();
    expect(await worker.call('print', {})).toMatchObject({ success: true });
    expect(worker.stderr).toContain('a line on stdout');
  });

  it('ends when stdin ends, and with status 0 on SIGTERM', async () => {
    start();
    await worker.call('ping', {});
    worker.child.stdin!.end();
    await once(worker.child, 'exit');
    start();
    await worker.call('ping', {});
    worker.child.kill('SIGTERM');
    expect(await once(worker.child, 'exit')).toEqual([0, null]);
  });
});

describe('negotiation', () => {
  it('selects what the host prefers, and only the configured codec when there is one', async () => {
    worker = new V1Process('json', ['--module', fixture('commands.mjs')]);
    expect(await worker.negotiate()).toBe('msgpack');
    expect(await worker.call('echo', { data: Buffer.from([1]) })).toMatchObject({ result: { data: Buffer.from([1]) } });
    worker.child.kill('SIGKILL');
    worker = new V1Process('json', ['--module', fixture('commands.mjs'), '--protocol', 'json']);
    expect(await worker.negotiate()).toBe('json');
    expect(await worker.call('echo', { a: 1 })).toMatchObject({ result: { a: 1 } });
  });

  it('is JSON with a host that does not negotiate', async () => {
    worker = new V1Process('json', ['--module', fixture('commands.mjs'), '--protocol', 'auto']);
    expect(await worker.call('echo', { a: 1 })).toMatchObject({ result: { a: 1 } });
  });
});

describe('the generic commands', () => {
  it.each([
    ['add', 1, 2, 3],
    ['subtract', 1, 2, -1],
    ['multiply', 3, 2, 6],
    ['divide', 1, 2, 0.5],
    ['power', 2, 10, 1024],
    ['sqrt', 9, 0, 3],
  ])('compute %s', async (operation, a, b, result) => {
    worker = new V1Process('json', []);
    expect(await worker.call('compute', { operation, a, b })).toMatchObject({
      result: { status: 'ok', operation, inputs: { a, b }, result },
    });
  });

  it('are ping, echo, compute, random and info', async () => {
    worker = new V1Process('json', []);
    expect(await worker.call('ping', { x: 1 })).toMatchObject({ result: { status: 'ok', echo: { x: 1 } } });
    expect(await worker.call('echo', { x: 1 })).toMatchObject({ result: { echoed: { x: 1 } } });
    expect(await worker.call('compute', { operation: 'divide', a: 1, b: 0 })).toMatchObject({
      message: 'Division by zero',
    });
    expect(await worker.call('compute', { operation: 'constructor' })).toMatchObject({ success: false });
    expect(await worker.call('random', { type: 'integer', min: 3, max: 3 })).toMatchObject({ result: { value: 3 } });
    expect(await worker.call('random', { type: 'normal', mean: 5, std: 0 })).toMatchObject({ result: { value: 5 } });
    expect(await worker.call('info', {})).toMatchObject({ result: { system_info: { node_version: process.version } } });
  });
});
