import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import {
  ByteWriter,
  createCodec,
  encodeV1Reply,
  MessageReader,
  negotiationReplyFrame,
  type CodecName,
} from '../codec/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import type { ChannelCall, ChannelFailure, ChannelOwner } from './channel.js';
import { HandshakeRefused } from './handshake-refused.js';
import type { StdioChannel } from './stdio-channel.js';
import { openStdioChannel } from './stdio-handshake.js';
import { Traffic } from './traffic.js';

const MAX_FRAME = 4_096;
const NEGOTIATION_MS = 2_000;

let folder: string;
let server: Server;
const sockets: Socket[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'snakepit-stdio-'));
  server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => void server.listen(join(folder, 'socket'), resolve));
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** A real socket in each direction, as a child's stdin and stdout are. */
async function pipe(): Promise<{ near: Socket; far: Socket }> {
  const accepted = new Promise<Socket>((resolve) => void server.once('connection', resolve));
  const near = connect({ path: join(folder, 'socket'), allowHalfOpen: true });
  const far = await accepted;
  far.on('error', () => {});
  sockets.push(near, far);
  return { near, far };
}

/** The bridge's end, one message at a time. */
class Bridge {
  readonly #messages: Buffer[] = [];
  readonly #reader = new MessageReader(1 << 24);
  #wake: () => void = () => {};
  codec = createCodec('json', { maxDepth: 32 }, { plainJson: true });

  constructor(
    readonly stdin: Socket,
    readonly stdout: Socket,
  ) {
    stdin.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk, {
        onMessage: (bytes, start, end) => this.#messages.push(Buffer.from(bytes.subarray(start, end))),
      });
      this.#wake();
    });
  }

  use(codec: CodecName): void {
    this.codec = createCodec(codec, { maxDepth: 32 }, { plainJson: true });
  }

  async next(): Promise<Record<string, unknown>> {
    while (this.#messages.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const message = this.#messages.shift()!;
    return this.codec.decode(message, 0, message.length, 0) as Record<string, unknown>;
  }

  message(value: unknown): Buffer {
    const out = new ByteWriter();
    out.writeUInt32(0);
    this.codec.encode(value, out);
    out.buffer.writeUInt32BE(out.position - 4, 0);
    return Buffer.from(out.take());
  }

  send(value: unknown): void {
    this.stdout.write(this.message(value));
  }

  reply(id: number, result: unknown): void {
    const out = new ByteWriter();
    encodeV1Reply(this.codec, { id, success: true, result }, '2026-01-01T00:00:00Z', out);
    this.stdout.write(out.take());
  }
}

class Owner implements ChannelOwner {
  readonly traffic = new Traffic();
  readonly failures: ChannelFailure[] = [];
  #onFailure: () => void = () => {};
  readonly failed = new Promise<void>((resolve) => {
    this.#onFailure = resolve;
  });
  onLog(): void {}
  onEvent(): void {}
  onHostCall(): Promise<unknown> {
    return Promise.reject(new Error('protocol v1 has no host calls'));
  }
  onRoom(): void {}
  onFailed(failure: ChannelFailure): void {
    this.failures.push(failure);
    this.#onFailure();
  }
}

function aCall(over: Partial<ChannelCall> = {}): { call: ChannelCall; outcome: Promise<unknown[]> } {
  let end: (heard: unknown[]) => void = () => {};
  const outcome = new Promise<unknown[]>((resolve) => {
    end = resolve;
  });
  const call: ChannelCall = {
    command: 'add',
    args: { a: 1 },
    kind: 'call',
    meta: undefined,
    deadline: Infinity,
    onResult: (value, serviceUs) => end(['result', value, serviceUs]),
    onFailure: (error) => end(['failure', error]),
    onChunk: () => end(['chunk']),
    onEnd: () => end(['end']),
    onProgress: () => end(['progress']),
    ...over,
  };
  return { call, outcome };
}

interface Opening {
  readonly opening: Promise<StdioChannel>;
  readonly bridge: Bridge;
  readonly owner: Owner;
  readonly clock: ManualClock;
  readonly stdin: Socket;
}

async function begin(codec: 'auto' | CodecName): Promise<Opening> {
  const [input, output] = [await pipe(), await pipe()];
  const clock = new ManualClock();
  const owner = new Owner();
  const bridge = new Bridge(input.far, output.far);
  const opening = openStdioChannel(
    input.near,
    output.near,
    {
      name: { pool: 'p', worker: 'p-1' },
      codec,
      negotiationTimeoutMs: NEGOTIATION_MS,
      maxFrameBytes: MAX_FRAME,
      maxDepth: 16,
      clock,
    },
    owner,
  );
  opening.catch(() => {});
  return { opening, bridge, owner, clock, stdin: input.near };
}

async function open(codec: CodecName = 'json'): Promise<Opening & { channel: StdioChannel }> {
  const started = await begin(codec);
  started.bridge.use(codec);
  await started.bridge.next();
  started.bridge.reply(1, 'pong');
  return { ...started, channel: await started.opening };
}

const NEGOTIATION = { type: 'protocol_negotiation', supported: ['msgpack', 'json'], preferred: 'msgpack' };

describe('openStdioChannel', () => {
  it.each(['msgpack', 'json'] as const)('negotiates %s, pings with it and is ready', async (codec) => {
    const { opening, bridge, clock } = await begin('auto');
    expect(await bridge.next()).toEqual(NEGOTIATION);
    bridge.stdout.write(negotiationReplyFrame(codec));
    bridge.use(codec);
    expect(await bridge.next()).toEqual({
      id: 1,
      command: 'ping',
      args: {},
      timestamp: new Date(clock.wallTime()).toISOString(),
    });
    bridge.reply(1, 'pong');
    expect((await opening).manifest).toEqual({ protocol: 'v1', codec, answersWhileBusy: false });
    expect(clock.timers).toBe(0);
  });

  it.each([
    ['an error reply', { id: 0, success: false, error: 'Unknown command' }],
    ['an error reply without id', { success: false, error: 'KeyError' }],
    ['a codec it does not know', { type: 'protocol_selected', protocol: 'xml' }],
    ['something else', [1, 2]],
  ])('speaks JSON with a bridge that answers the negotiation by %s', async (_, answer) => {
    const { opening, bridge } = await begin('auto');
    await bridge.next();
    bridge.send(answer);
    expect(await bridge.next()).toMatchObject({ id: 1, command: 'ping' });
    bridge.reply(1, null);
    expect((await opening).manifest.codec).toBe('json');
  });

  it('speaks JSON with a bridge that leaves the negotiation unanswered', async () => {
    const { opening, bridge, clock } = await begin('auto');
    await bridge.next();
    clock.advance(NEGOTIATION_MS);
    expect(await bridge.next()).toMatchObject({ id: 1, command: 'ping' });
    bridge.reply(1, null);
    expect((await opening).manifest.codec).toBe('json');
    expect(clock.timers).toBe(0);
  });

  it.each([
    ['an error reply', { id: null, success: false, error: 'no command' }],
    ['an error reply with another id', { id: 0, success: false, error: 'no command' }],
    ['a late selection of JSON', { type: 'protocol_selected', protocol: 'json' }],
  ])('drops a late answer to the negotiation: %s', async (_, late) => {
    const { opening, bridge, clock, owner } = await begin('auto');
    await bridge.next();
    clock.advance(NEGOTIATION_MS);
    await bridge.next();
    bridge.send(late);
    bridge.reply(1, 'pong');
    const channel = await opening;
    const { call, outcome } = aCall();
    channel.send(call, clock.now());
    bridge.reply((await bridge.next())['id'] as number, 3);
    expect(await outcome).toEqual(['result', 3, 0]);
    expect(owner.failures).toEqual([]);
  });

  it('switches to a codec that is selected late, and answers to earlier pings do no harm', async () => {
    const { opening, bridge, clock, owner } = await begin('auto');
    await bridge.next();
    clock.advance(NEGOTIATION_MS);
    expect(await bridge.next()).toMatchObject({ id: 1, command: 'ping' });
    bridge.send({ type: 'protocol_selected', protocol: 'msgpack' });
    bridge.use('msgpack');
    expect(await bridge.next()).toMatchObject({ id: 2, command: 'ping' });
    bridge.reply(1, 'pong');
    const channel = await opening;
    expect(channel.manifest.codec).toBe('msgpack');
    bridge.reply(2, 'pong');
    const { call, outcome } = aCall();
    channel.send(call, clock.now());
    bridge.reply(3, 'done');
    expect(await outcome).toEqual(['result', 'done', 0]);
    expect(owner.failures).toEqual([]);
  });

  it('pings again when a bridge has swallowed the first message', async () => {
    const { opening, bridge, clock } = await begin('json');
    expect(await bridge.next()).toMatchObject({ id: 1, command: 'ping' });
    clock.advance(NEGOTIATION_MS);
    expect(await bridge.next()).toMatchObject({ id: 2, command: 'ping' });
    bridge.reply(2, 'pong');
    await expect(opening).resolves.toMatchObject({ inFlight: 0 });
    expect(clock.timers).toBe(0);
  });

  it('takes an error reply to the ping as a sign of life', async () => {
    const { opening, bridge } = await begin('json');
    await bridge.next();
    bridge.send({ id: 1, success: false, error: 'Unknown command: ping' });
    await expect(opening).resolves.toMatchObject({ maxInFlight: 1 });
  });

  const refusals: Array<[string, (bridge: Bridge) => void, RegExp]> = [
    ['closes its stdout', (bridge: Bridge) => void bridge.stdout.end(), /closed its stdout/],
    ['closes its stdout within a message', (bridge: Bridge) => void bridge.stdout.end('\0\0'), /closed its stdout/],
    ['answers with text', (bridge: Bridge) => void bridge.stdout.write('Traceback (most…'), /exceeds maxFrameBytes/],
    ['answers with bytes that are no JSON', (b: Bridge) => void b.stdout.write(Buffer.from([0, 0, 0, 1, 0x7b])), /./],
    [
      'answers in a form that is no reply',
      (bridge: Bridge) => bridge.send({ id: 1, result: 2 }),
      /whether it succeeded/,
    ],
    [
      'answers the ping twice',
      (b: Bridge) =>
        void b.stdout.write(Buffer.concat([1, 1].map((id) => b.message({ id, success: true, result: 1 })))),
      /id 1, expected none/,
    ],
  ];
  it.each(refusals)('refuses a bridge that %s', async (_, answer, reason) => {
    const { opening, bridge, clock } = await begin('json');
    await bridge.next();
    answer(bridge);
    await expect(opening).rejects.toThrow(reason);
    expect(clock.timers).toBe(0);
  });

  it('leaves no unhandled error behind when stdin breaks after a refusal', async () => {
    const { opening, bridge, stdin } = await begin('auto');
    bridge.stdout.end();
    await expect(opening).rejects.toBeInstanceOf(HandshakeRefused);
    expect(() => stdin.emit('error', new Error('EPIPE'))).not.toThrow();
  });
});

describe.each(['json', 'msgpack'] as const)('StdioChannel with %s', (codec) => {
  it('carries one call after the other with ids that count up', async () => {
    const { channel, bridge } = await open(codec);
    for (const id of [2, 3]) {
      const { call, outcome } = aCall({ args: { n: id } });
      expect(channel.send(call, 0)).toBe(id);
      expect(channel.inFlight).toBe(1);
      expect(await bridge.next()).toMatchObject({ id, command: 'add', args: { n: id } });
      bridge.reply(id, { n: id });
      expect(await outcome).toEqual(['result', { n: id }, 0]);
      expect(channel.inFlight).toBe(0);
    }
  });

  it('delivers a failure, with details where the bridge sends them', async () => {
    const { channel, bridge } = await open(codec);
    const plain = aCall();
    channel.send(plain.call, 0);
    bridge.send({ id: 2, success: false, error: 'division by zero' });
    expect(await plain.outcome).toMatchObject([
      'failure',
      { code: 'REMOTE_ERROR', delivery: 'ran', remote: { type: 'Error', message: 'division by zero' } },
    ]);
    const detailed = aCall();
    channel.send(detailed.call, 0);
    bridge.send({ id: 3, success: false, error: 'x', error_details: { code: 'UNKNOWN_COMMAND', message: 'no add' } });
    expect(await detailed.outcome).toMatchObject(['failure', { code: 'UNKNOWN_COMMAND', delivery: 'not-started' }]);
  });

  it('refuses arguments that cannot be sent and goes on with the same id', async () => {
    const { channel, bridge } = await open(codec);
    expect(() => channel.send(aCall({ args: { f: () => {} } }).call, 0)).toThrow(/args\.f/);
    expect(() => channel.send(aCall({ args: 'x'.repeat(MAX_FRAME) }).call, 0)).toThrow(/exceeds maxFrameBytes/);
    const { call, outcome } = aCall();
    channel.send(call, 0);
    expect(await bridge.next()).toMatchObject({ id: 2, args: { a: 1 } });
    bridge.reply(2, 'fine');
    expect(await outcome).toEqual(['result', 'fine', 0]);
  });
});

describe('StdioChannel', () => {
  it('refuses what protocol v1 cannot carry', async () => {
    const { channel, bridge } = await open();
    expect(() => channel.send(aCall({ kind: 'stream' }).call, 0)).toThrow(/'add' cannot be done.*no streams/);
    expect(() => channel.send(aCall({ args: new Uint8Array(2) }).call, 0)).toThrow(/args/);
    const id = channel.send(aCall().call, 0);
    expect(() => channel.send(aCall().call, 0)).toThrow('one call at a time');
    expect(channel.cancel()).toBe(false);
    expect(() => channel.grant()).toThrow('no streams');
    channel.sessionClosed();
    expect(await bridge.next()).toMatchObject({ id });
  });

  it('pings while it is idle, one ping at a time', async () => {
    const { channel, bridge, clock } = await open();
    expect([channel.ping(), channel.ping()]).toEqual([true, false]);
    const { id, command } = await bridge.next();
    expect(command).toBe('ping');
    clock.advance(70);
    const { call, outcome } = aCall();
    channel.send(call, clock.now());
    expect(channel.ping()).toBe(false);
    bridge.send({ id, success: false, error: 'no ping here' });
    bridge.reply(3, 'after');
    expect(await outcome).toEqual(['result', 'after', 0]);
    expect(channel.lastHeardAt).toBe(70);
    expect(channel.ping()).toBe(true);
  });

  const breaches: Array<[string, (bridge: Bridge) => void, RegExp]> = [
    ['a reply nobody asked for', (bridge: Bridge) => bridge.reply(9, 1), /id 9, expected 2/],
    ['a reply with the id of an earlier call', (bridge: Bridge) => bridge.reply(1, 1), /id 1, expected 2/],
    ['a reply without id', (bridge: Bridge) => bridge.send({ success: true }), /no id/],
    ['a reply that says nothing', (bridge: Bridge) => bridge.send({ id: 2 }), /whether it succeeded/],
    ['a list', (bridge: Bridge) => bridge.send([1]), /not a map/],
    ['printed text', (bridge: Bridge) => void bridge.stdout.write('hello from print()\n'), /exceeds maxFrameBytes/],
  ];
  it.each(breaches)('fails once with a protocol error for %s', async (_, breach, reason) => {
    const { channel, bridge, owner } = await open();
    const { call } = aCall();
    channel.send(call, 0);
    await bridge.next();
    breach(bridge);
    bridge.stdout.end();
    await owner.failed;
    expect(owner.failures).toEqual([{ kind: 'protocol-error', reason: expect.stringMatching(reason) as string }]);
    expect(channel.abandon()).toEqual([{ call, wasWritten: true }]);
    expect(channel.abandon()).toEqual([]);
  });

  it('tells once that it is closed when the bridge closes its stdout', async () => {
    const { channel, bridge, owner } = await open();
    const { call } = aCall();
    channel.send(call, 0);
    bridge.stdout.end();
    await owner.failed;
    expect(owner.failures).toEqual([{ kind: 'closed' }]);
    expect(channel.abandon()).toEqual([{ call, wasWritten: true }]);
  });

  it('ends stdin to shut the bridge down', async () => {
    const { channel, bridge } = await open();
    const ended = new Promise<void>((resolve) => void bridge.stdin.once('end', resolve));
    channel.shutdown();
    await ended;
  });
});
