import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import {
  ByteWriter,
  CancelReason,
  createCodec,
  encodeHello,
  Flag,
  FrameReader,
  Kind,
  parseHostHello,
  type Codec,
  type CodecName,
  type WorkerHello,
} from '../codec/index.js';
import { isSnakepitError, SnakepitError } from '../core/index.js';
import { ManualClock } from '../testing/manual-clock.js';
import type { ChannelCall, ChannelFailure, ChannelOwner, HostCall } from './channel.js';
import { HostCallFailure } from './remote-failure.js';
import type { FdChannel } from './fd-channel.js';
import { openFdChannel } from './fd-handshake.js';
import { HandshakeRefused } from './handshake-refused.js';
import { Traffic } from './traffic.js';

const MAX_FRAME = 4_096;

let folder: string;
let server: Server;
const sockets: Socket[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'snakepit-channel-'));
  server = createServer();
  await new Promise<void>((resolve) => void server.listen(join(folder, 'socket'), resolve));
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** Both ends of one real Unix socket. */
async function socketPair(): Promise<{ host: Socket; worker: Socket }> {
  const accepted = new Promise<Socket>((resolve) => void server.once('connection', resolve));
  const host = connect(join(folder, 'socket'));
  const worker = await accepted;
  worker.on('error', () => {});
  sockets.push(host, worker);
  return { host, worker };
}

interface Frame {
  readonly kind: number;
  readonly flags: number;
  readonly aux: number;
  readonly id: number;
  readonly body: Buffer;
}

/** The worker's end: reads frames and writes what the test tells it to. */
class Peer {
  readonly #frames: Frame[] = [];
  readonly #reader = new FrameReader(1 << 24);
  readonly #out = new ByteWriter();
  #wake: () => void = () => {};

  constructor(
    readonly socket: Socket,
    readonly codec: Codec,
  ) {
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk, {
        onFrame: (kind, flags, aux, id, bytes, start, end) => {
          this.#frames.push({ kind, flags, aux, id, body: Buffer.from(bytes.subarray(start, end)) });
        },
      });
      this.#wake();
    });
  }

  /** The next frame, which must be of this kind. */
  async next(kind: number): Promise<Frame> {
    while (this.#frames.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const frame = this.#frames.shift()!;
    expect(frame.kind.toString(16)).toBe(kind.toString(16));
    return frame;
  }

  valueOf({ body, flags }: Frame, from = 0): unknown {
    return this.codec.decode(body, from, body.length, flags);
  }

  hello(hello: object): this {
    encodeHello(hello as WorkerHello, this.#out);
    return this.flush();
  }

  frame(kind: number, id: number, aux = 0): this {
    this.#out.frame(kind, 0, aux, id);
    return this;
  }

  value(kind: number, id: number, value: unknown, aux = 0): this {
    const start = this.#out.beginFrame();
    const flags = this.codec.encode(value, this.#out);
    this.#out.endFrame(start, kind, flags, aux, id);
    return this;
  }

  raw(kind: number, id: number, body: Uint8Array): this {
    const start = this.#out.beginFrame();
    this.#out.reserve(body.length);
    this.#out.buffer.set(body, this.#out.position);
    this.#out.position += body.length;
    this.#out.endFrame(start, kind, 0, 0, id);
    return this;
  }

  flush(): this {
    this.socket.write(this.#out.take());
    return this;
  }

  /** A PING whose PONG proves that the host has read everything before it. */
  async sync(): Promise<void> {
    this.frame(Kind.PING, 0xabcd).flush();
    expect((await this.next(Kind.PONG)).id).toBe(0xabcd);
  }
}

class Owner implements ChannelOwner {
  readonly traffic = new Traffic();
  readonly logs: unknown[] = [];
  readonly events: unknown[] = [];
  readonly rooms: boolean[] = [];
  readonly failures: ChannelFailure[] = [];
  readonly hostCalls: HostCall[] = [];
  answer: (call: HostCall) => Promise<unknown> = () => Promise.resolve(null);
  #onFailure: () => void = () => {};
  #onRoom: () => void = () => {};
  readonly failed = new Promise<void>((resolve) => {
    this.#onFailure = resolve;
  });
  onLog(record: unknown): void {
    this.logs.push(record);
  }
  onEvent(name: string, data: unknown): void {
    this.events.push([name, data]);
  }
  onHostCall(call: HostCall): Promise<unknown> {
    this.hostCalls.push(call);
    return this.answer(call);
  }
  onRoom(hasRoom: boolean): void {
    this.rooms.push(hasRoom);
    this.#onRoom();
  }
  onFailed(failure: ChannelFailure): void {
    this.failures.push(failure);
    this.#onFailure();
  }
  async untilRooms(count: number): Promise<void> {
    while (this.rooms.length < count) {
      await new Promise<void>((resolve) => {
        this.#onRoom = resolve;
      });
    }
  }
}

/** Records what a call hears; `ended` resolves at its one outcome. */
class Call implements ChannelCall {
  readonly command: string = 'add';
  readonly kind: 'call' | 'stream' = 'call';
  readonly args: unknown = { a: 1 };
  readonly meta: ChannelCall['meta'] = undefined;
  readonly deadline: number = Infinity;
  readonly heard: unknown[][] = [];
  #end: () => void = () => {};
  readonly ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });
  constructor(over: Partial<Pick<ChannelCall, 'command' | 'kind' | 'args' | 'meta' | 'deadline'>> = {}) {
    Object.assign(this, over);
  }
  onResult(value: unknown, serviceUs: number): void {
    this.heard.push(['result', value, serviceUs]);
    this.#end();
  }
  onChunk(value: unknown): void {
    this.heard.push(['chunk', value]);
  }
  onEnd(serviceUs: number): void {
    this.heard.push(['end', serviceUs]);
    this.#end();
  }
  onProgress(value: unknown): void {
    this.heard.push(['progress', value]);
  }
  onFailure(error: SnakepitError, serviceUs: number): void {
    this.heard.push(['failure', error, serviceUs]);
    this.#end();
  }
}

const HELLO = {
  protocol: 2,
  codec: 'msgpack',
  language: 'test',
  runtime: { name: 'script', version: '1' },
  sdk: { name: 'none', version: '0' },
  pid: 1,
  commands: [
    { name: 'add', kind: 'call' },
    { name: 'walk', kind: 'stream' },
  ],
} as const;

interface Setup {
  readonly channel: FdChannel;
  readonly peer: Peer;
  readonly owner: Owner;
  readonly host: Socket;
  readonly clock: ManualClock;
}

const parts = (clock: ManualClock, codec: CodecName = 'msgpack', maxDepth = 16) => ({
  name: { pool: 'p', worker: 'p-1' },
  codecs: [codec] as const,
  maxFrameBytes: MAX_FRAME,
  maxDepth,
  streamCredit: 8,
  arena: undefined,
  clock,
});

async function open(codec: CodecName = 'msgpack', maxDepth = 16): Promise<Setup> {
  const { host, worker } = await socketPair();
  const clock = new ManualClock();
  const owner = new Owner();
  const peer = new Peer(worker, createCodec(codec, { maxDepth: 32 }));
  const opening = openFdChannel(host, parts(clock, codec, maxDepth), owner);
  await peer.next(Kind.HELLO);
  peer.hello({ ...HELLO, codec });
  return { channel: await opening, peer, owner, host, clock };
}

describe('openFdChannel', () => {
  it('offers what the host can do and takes over the manifest', async () => {
    const { host, worker } = await socketPair();
    const clock = new ManualClock();
    const peer = new Peer(worker, createCodec('json', { maxDepth: 16 }));
    const opening = openFdChannel(host, { ...parts(clock), codecs: ['msgpack', 'json'] }, new Owner());
    const { body } = await peer.next(Kind.HELLO);
    expect(parseHostHello(body, 0, body.length)).toEqual({
      protocol: [2],
      codecs: ['msgpack', 'json'],
      maxFrameBytes: MAX_FRAME,
      maxDepth: 16,
      streamCredit: 8,
      workerId: 'p-1',
      pool: 'p',
      typedArrays: true,
    });
    peer.hello({ ...HELLO, codec: 'json', answersWhileBusy: false });
    const { manifest } = await opening;
    expect(manifest).toMatchObject({ protocol: 'v2', codec: 'json', language: 'test', answersWhileBusy: false });
    expect(manifest.commands?.map(({ name }) => name)).toEqual(['add', 'walk']);
  });

  it('handles frames that came in one chunk with the hello', async () => {
    const { host, worker } = await socketPair();
    const owner = new Owner();
    const peer = new Peer(worker, createCodec('msgpack', { maxDepth: 16 }));
    const opening = openFdChannel(host, parts(new ManualClock()), owner);
    await peer.next(Kind.HELLO);
    const both = new ByteWriter();
    encodeHello(HELLO, both);
    const start = both.beginFrame();
    both.endFrame(start, Kind.PING, 0, 0, 5);
    worker.write(both.take());
    await opening;
    expect((await peer.next(Kind.PONG)).id).toBe(5);
  });

  const refusals: Array<[string, (peer: Peer) => void, RegExp]> = [
    [
      'an error',
      (peer) => peer.hello({ error: { code: 'REMOTE_ERROR', message: 'no module x', traceback: 'TB' } }),
      /no module x/,
    ],
    [
      'a codec that was not offered',
      (peer) => peer.hello({ ...HELLO, codec: 'json' }),
      /'json', which was not offered/,
    ],
    ['an unknown codec', (peer) => peer.hello({ ...HELLO, codec: 'xml' }), /hello\.codec is "xml"/],
    ['another protocol', (peer) => peer.hello({ ...HELLO, protocol: 3 }), /hello\.protocol is 3/],
    ['no commands', (peer) => peer.hello({ ...HELLO, commands: undefined }), /hello\.commands/],
    [
      'a command twice',
      (peer) => peer.hello({ ...HELLO, commands: [HELLO.commands[0], HELLO.commands[0]] }),
      /'add' twice/,
    ],
    ['no pid', (peer) => peer.hello({ ...HELLO, pid: 0 }), /hello\.pid/],
    ['text that is no JSON', (peer) => peer.raw(Kind.HELLO, 0, Buffer.from('{"protocol"')).flush(), /not JSON/],
    ['another kind of frame', (peer) => peer.frame(Kind.PONG, 1).flush(), /first frame is of kind 0x31/],
    [
      'a frame that is too long',
      (peer) => peer.raw(Kind.HELLO, 0, Buffer.alloc(MAX_FRAME + 1)).flush(),
      /exceeds maxFrameBytes/,
    ],
    ['garbage', (peer) => peer.socket.write('Traceback (most recent call last):\n'), /exceeds maxFrameBytes/],
    ['the end of the socket', (peer) => peer.socket.end(), /closed the channel before it said hello/],
    ['half a hello and the end', (peer) => peer.socket.end(Buffer.from([0, 0])), /closed the channel/],
  ];
  it.each(refusals)('refuses a worker that answers with %s', async (_, answer, reason) => {
    const { host, worker } = await socketPair();
    const peer = new Peer(worker, createCodec('msgpack', { maxDepth: 16 }));
    const opening = openFdChannel(host, parts(new ManualClock()), new Owner());
    const outcome = expect(opening).rejects.toThrow(reason);
    await peer.next(Kind.HELLO);
    answer(peer);
    await outcome;
  });

  it('hands on the traceback of a worker that cannot start', async () => {
    const { host, worker } = await socketPair();
    const opening = openFdChannel(host, parts(new ManualClock()), new Owner());
    const outcome = expect(opening).rejects.toMatchObject({ constructor: HandshakeRefused, traceback: 'File "x.py"' });
    const peer = new Peer(worker, createCodec('msgpack', { maxDepth: 16 }));
    peer.hello({ error: { code: 'REMOTE_ERROR', message: 'm', traceback: 'File "x.py"' } });
    await outcome;
  });

  it('leaves no unhandled error behind when the socket breaks after a refusal', async () => {
    const { host, worker } = await socketPair();
    const opening = openFdChannel(host, parts(new ManualClock()), new Owner());
    const outcome = expect(opening).rejects.toThrow('not a hello');
    new Peer(worker, createCodec('msgpack', { maxDepth: 16 })).frame(Kind.PONG, 1).flush();
    await outcome;
    expect(() => host.emit('error', new Error('EPIPE'))).not.toThrow();
  });
});

describe.each(['msgpack', 'json'] as const)('FdChannel with %s', (codec) => {
  it('sends a call by its index and delivers the result with its service time', async () => {
    const { channel, peer } = await open(codec);
    const call = new Call({ args: { bytes: new Uint8Array([1, 2]) } });
    const id = channel.send(call, 0);
    expect(channel.inFlight).toBe(1);
    const frame = await peer.next(Kind.CALL);
    expect([frame.id, frame.aux, frame.flags & ~Flag.TAGGED]).toEqual([id, 0, 0]);
    expect(peer.valueOf(frame)).toEqual({ bytes: Buffer.from([1, 2]) });
    peer.value(Kind.RESULT, id, { sum: 3n ** 39n }, 120).flush();
    await call.ended;
    expect(call.heard).toEqual([['result', { sum: 3n ** 39n }, 120]]);
    expect(channel.inFlight).toBe(0);
  });

  it('carries chunks, progress, end and credit of a stream', async () => {
    const { channel, peer } = await open(codec);
    const call = new Call({ command: 'walk', kind: 'stream' });
    const id = channel.send(call, 0);
    const frame = await peer.next(Kind.CALL);
    expect([frame.aux, frame.flags]).toEqual([1, Flag.STREAM]);
    channel.grant(id, 3);
    expect(await peer.next(Kind.CREDIT)).toMatchObject({ id, aux: 3 });
    peer
      .value(Kind.CHUNK, id, 'a')
      .value(Kind.PROGRESS, id, 0.5)
      .value(Kind.CHUNK, id, null)
      .frame(Kind.END, id, 77)
      .flush();
    await call.ended;
    expect(call.heard).toEqual([
      ['chunk', 'a'],
      ['progress', 0.5],
      ['chunk', null],
      ['end', 77],
    ]);
  });

  it('delivers an error with everything the worker told of it', async () => {
    const { channel, peer } = await open(codec);
    const call = new Call();
    const id = channel.send(call, 0);
    const body = {
      code: 'REMOTE_ERROR',
      type: 'ValueError',
      message: 'bad month',
      traceback: 'TB',
      data: { month: 13 },
    };
    peer.value(Kind.ERROR, id, body, 9).flush();
    await call.ended;
    const [[kind, error, serviceUs]] = call.heard as [[string, SnakepitError, number]];
    expect([kind, serviceUs]).toEqual(['failure', 9]);
    expect(error).toMatchObject({
      code: 'REMOTE_ERROR',
      delivery: 'ran',
      remote: { type: 'ValueError', message: 'bad month', traceback: 'TB', data: { month: 13 } },
    });
    expect(error.message).toBe("'add' raised ValueError: bad month");
  });

  it.each([
    [{ code: 'CANCELLED', message: 'm', started: false }, 'CANCELLED', 'not-started'],
    [{ code: 'CANCELLED', message: 'm' }, 'CANCELLED', 'may-have-run'],
    [{ code: 'CALL_TIMEOUT', message: 'm', started: false }, 'CALL_TIMEOUT', 'not-started'],
    [{ code: 'INVALID_ARGUMENTS', message: 'm' }, 'INVALID_ARGUMENTS', 'not-started'],
    [{ code: 'UNKNOWN_COMMAND', message: 'm' }, 'UNKNOWN_COMMAND', 'not-started'],
    [{ code: 'INVALID_RESULT', message: 'm' }, 'INVALID_RESULT', 'ran'],
    [{ code: 'FRAME_TOO_LARGE', message: 'm' }, 'FRAME_TOO_LARGE', 'ran'],
    [{ code: 'POOL_CLOSED', message: 'invented' }, 'REMOTE_ERROR', 'ran'],
    [{ code: 'toString', message: 'invented' }, 'REMOTE_ERROR', 'ran'],
    ['just text', 'REMOTE_ERROR', 'ran'],
  ])('maps the worker’s error %j to %s (%s)', async (body, code, delivery) => {
    const { channel, peer } = await open(codec);
    const call = new Call();
    peer.value(Kind.ERROR, channel.send(call, 0), body).flush();
    await call.ended;
    expect(call.heard[0]?.[1]).toMatchObject({ code, delivery });
  });

  it('sends deadline and meta in front of the arguments', async () => {
    const { channel, peer, clock } = await open(codec);
    clock.advance(100);
    channel.send(new Call({ deadline: 1_100.5, meta: { session: 's-1' }, args: [1] }), 100);
    const frame = await peer.next(Kind.CALL);
    expect(frame.flags).toBe(Flag.DEADLINE | Flag.META);
    expect(frame.body.readUInt32BE(0)).toBe(1_001);
    expect(peer.valueOf(frame, 4)).toEqual([{ session: 's-1' }, [1]]);
    channel.send(new Call({ deadline: 50 }), 100);
    expect((await peer.next(Kind.CALL)).body.readUInt32BE(0)).toBe(0);
  });

  it('sends arguments as deep as maxDepth, with meta and without, and none deeper', async () => {
    const { channel, peer } = await open(codec, 3);
    for (const meta of [undefined, { session: 's' }]) {
      channel.send(new Call({ args: [[[1]]], ...(meta && { meta }) }), 0);
      await peer.next(Kind.CALL);
      expect(() => channel.send(new Call({ args: [[[[1]]]], ...(meta && { meta }) }), 0)).toThrow(/nest|deep/);
    }
  });

  it('answers host calls, also those that fail or cannot be answered', async () => {
    const { channel, peer, owner } = await open(codec);
    const call = new Call();
    const id = channel.send(call, 0);
    await peer.next(Kind.CALL);
    const failure = (data: unknown) =>
      new HostCallFailure({ code: 'REMOTE_ERROR', type: 'NotFound', message: 'none', data });
    const results: Record<string, () => Promise<unknown>> = {
      good: () => Promise.resolve({ found: true }),
      refused: () => Promise.reject(new SnakepitError('SESSION_NOT_FOUND', { session: 's' })),
      bug: () => Promise.reject(new TypeError('oops')),
      unsendable: () => Promise.resolve(() => {}),
      huge: () => Promise.resolve('x'.repeat(MAX_FRAME)),
      'not text': () => Promise.reject(new Error('\ud800')),
      'huge reason': () => Promise.reject(new Error('x'.repeat(MAX_FRAME))),
      told: () => Promise.reject(failure({ status: 404 })),
      'told with nonsense': () => Promise.reject(failure({ f: () => {} })),
    };
    owner.answer = ({ method }) => results[method]!();
    Object.keys(results).forEach((method, index) =>
      peer.value(Kind.HOST_CALL, 10 + index, { method, args: { k: 1 }, call: id }),
    );
    peer.flush();
    const good = await peer.next(Kind.HOST_RESULT);
    expect([good.id, peer.valueOf(good)]).toEqual([10, { found: true }]);
    for (const [index, expected] of [
      { code: 'SESSION_NOT_FOUND' },
      { code: 'REMOTE_ERROR', type: 'TypeError', message: 'oops' },
      { code: 'INVALID_RESULT', message: expect.stringContaining('value: ') as string },
      { code: 'FRAME_TOO_LARGE', message: expect.stringContaining('maxFrameBytes') as string },
      { code: 'REMOTE_ERROR', message: expect.stringContaining("the host's error cannot be sent") as string },
      { code: 'REMOTE_ERROR', message: expect.stringMatching(/^x+ .*exceeds maxFrameBytes/) as string },
      { code: 'REMOTE_ERROR', type: 'NotFound', message: 'none', data: { status: 404 } },
      { code: 'REMOTE_ERROR', type: 'NotFound', message: expect.stringMatching(/^none .*data\.f/) as string },
    ].entries()) {
      const frame = await peer.next(Kind.HOST_ERROR);
      expect(frame.id).toBe(11 + index);
      expect(peer.valueOf(frame)).toMatchObject(expected);
    }
    expect(owner.hostCalls[0]).toEqual({ method: 'good', args: { k: 1 }, call });
  });

  it('answers a host call about a value as deep as maxDepth', async () => {
    const { peer, owner } = await open(codec, 3);
    owner.answer = () => Promise.resolve({ found: true, value: [[[1]]] });
    peer.value(Kind.HOST_CALL, 1, { method: 'session.read' }).flush();
    expect(peer.valueOf(await peer.next(Kind.HOST_RESULT))).toEqual({ found: true, value: [[[1]]] });
  });

  it('tells a host call without a running call that there is none', async () => {
    const { peer, owner } = await open(codec);
    peer.value(Kind.HOST_CALL, 1, { method: 'm', call: 99 }).value(Kind.HOST_CALL, 2, { method: 'm' }).flush();
    await peer.next(Kind.HOST_RESULT);
    await peer.next(Kind.HOST_RESULT);
    expect(owner.hostCalls).toEqual([
      { method: 'm', args: null, call: undefined },
      { method: 'm', args: null, call: undefined },
    ]);
  });

  it('hands on log records and events', async () => {
    const { peer, owner } = await open(codec);
    peer.value(Kind.LOG, 0, { level: 'warn', message: 'low', logger: 'app', fields: { n: 1 } });
    peer.value(Kind.EVENT, 0, { name: 'cache.miss', data: [1] });
    await peer.sync();
    expect(owner.logs).toEqual([{ level: 'warn', message: 'low', logger: 'app', fields: { n: 1 } }]);
    expect(owner.events).toEqual([['cache.miss', [1]]]);
  });
});

describe('FdChannel', () => {
  it('writes cancel, ping, session closed and shutdown as the protocol says', async () => {
    const { channel, peer } = await open();
    const id = channel.send(new Call(), 0);
    await peer.next(Kind.CALL);
    expect(channel.cancel(id, 'caller')).toBe(true);
    expect(await peer.next(Kind.CANCEL)).toMatchObject({ id, aux: CancelReason.CALLER });
    channel.cancel(id, 'deadline');
    expect(await peer.next(Kind.CANCEL)).toMatchObject({ id, aux: CancelReason.DEADLINE });
    expect(channel.ping()).toBe(true);
    const ping = await peer.next(Kind.PING);
    expect(ping.id).toBeGreaterThan(0);
    channel.ping();
    expect((await peer.next(Kind.PING)).id).not.toBe(ping.id);
    channel.sessionClosed('s-1');
    expect(peer.valueOf(await peer.next(Kind.SESSION_CLOSED))).toBe('s-1');
    channel.shutdown();
    expect(await peer.next(Kind.SHUTDOWN)).toMatchObject({ id: 0, aux: 0 });
  });

  it('notes when it heard of its worker', async () => {
    const { channel, peer, clock } = await open();
    clock.advance(500);
    expect(channel.lastHeardAt).toBe(0);
    peer.frame(Kind.PONG, 1);
    await peer.sync();
    expect(channel.lastHeardAt).toBe(500);
  });

  it('leaves with one write for all that one turn sends', async () => {
    const { channel, peer, host } = await open();
    const write = vi.spyOn(host, 'write');
    const ids = Array.from({ length: 100 }, (_, n) => channel.send(new Call({ args: n }), 0));
    channel.cancel(ids[0]!, 'caller');
    for (const id of ids) expect((await peer.next(Kind.CALL)).id).toBe(id);
    await peer.next(Kind.CANCEL);
    expect(write).toHaveBeenCalledTimes(1);
    channel.send(new Call(), 0);
    await peer.next(Kind.CALL);
    expect(write).toHaveBeenCalledTimes(2);
  });

  it('ignores credit for a call that is over, and grants of any size reach the worker in full', async () => {
    const { channel, peer } = await open();
    const id = channel.send(new Call({ command: 'walk', kind: 'stream' }), 0);
    await peer.next(Kind.CALL);
    channel.grant(id, 70_000);
    const granted = (await peer.next(Kind.CREDIT)).aux + (await peer.next(Kind.CREDIT)).aux;
    expect(granted).toBe(70_000);
    peer.frame(Kind.END, id);
    await peer.sync();
    channel.grant(id, 1);
    channel.ping();
    await peer.next(Kind.PING);
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);
  it.each([
    ['a function', { args: { f: () => {} } }, 'INVALID_ARGUMENTS', /args\.f/],
    ['a function beside meta', { args: { f: () => {} }, meta: { session: 's' } }, 'INVALID_ARGUMENTS', /args\.f/],
    ['a cycle', { args: cycle }, 'INVALID_ARGUMENTS', /cycle/],
    ['a BigInt over 64 bits', { args: [2n ** 64n] }, 'INVALID_ARGUMENTS', /args\[0\]/],
    ['too many bytes', { args: 'x'.repeat(MAX_FRAME) }, 'FRAME_TOO_LARGE', /arguments of 'add'.*4096/],
    ['an unknown command', { command: 'ad' }, 'UNKNOWN_COMMAND', /'ad'.*add, walk/],
  ] as const)('refuses %s, sends nothing of it and goes on', async (_, over, code, message) => {
    const { channel, peer } = await open();
    channel.send(new Call({ args: 'before' }), 0);
    const refused = new Call(over);
    let error: unknown;
    try {
      channel.send(refused, 0);
    } catch (thrown) {
      error = thrown;
    }
    channel.send(new Call({ args: 'after' }), 0);
    expect(isSnakepitError(error, code)).toBe(true);
    expect(error).toMatchObject({ message: expect.stringMatching(message), delivery: 'not-started' });
    expect(peer.valueOf(await peer.next(Kind.CALL))).toBe('before');
    expect(peer.valueOf(await peer.next(Kind.CALL))).toBe('after');
    expect(channel.inFlight).toBe(2);
    expect(refused.heard).toEqual([]);
  });

  it('stays whole when it refuses one call more than there are ids', async () => {
    const { channel, peer } = await open();
    for (let sent = 0; sent < 65_536; sent += 1) channel.send(new Call({ args: null }), 0);
    expect(() => channel.send(new Call(), 0)).toThrow('65536');
    expect(() => channel.send(new Call(), 0)).toThrow('65536');
    for (let sent = 0; sent < 65_536; sent += 1) await peer.next(Kind.CALL);
    channel.ping();
    await peer.next(Kind.PING);
  });

  const breaches: Array<[string, (peer: Peer, id: number) => unknown, RegExp]> = [
    ['a result for an unknown id', (peer) => peer.value(Kind.RESULT, 12345, 1), /call 12345, which is not in flight/],
    ['a second result', (peer, id) => peer.value(Kind.RESULT, id, 1).value(Kind.RESULT, id, 1), /not in flight/],
    ['an error for an unknown id', (peer) => peer.value(Kind.ERROR, 0, { code: 'X' }), /not in flight/],
    ['progress for an unknown id', (peer) => peer.value(Kind.PROGRESS, 1, 1), /not in flight/],
    ['a chunk for a call', (peer, id) => peer.value(Kind.CHUNK, id, 1), /is not a stream/],
    ['an end for a call', (peer, id) => peer.frame(Kind.END, id), /is not a stream/],
    ['an end for an unknown id', (peer) => peer.frame(Kind.END, 7), /not in flight/],
    ['an unknown kind', (peer) => peer.frame(0x7f, 0), /0x7f/],
    ['a kind of the other direction', (peer) => peer.frame(Kind.CANCEL, 1), /wrong way/],
    ['a second hello', (peer) => peer.raw(Kind.HELLO, 0, Buffer.from('{}')), /0x1 /],
    ['a body that is no MessagePack', (peer, id) => peer.raw(Kind.RESULT, id, Buffer.from([0xc1])), /./],
    ['bytes behind the value', (peer, id) => peer.raw(Kind.RESULT, id, Buffer.from([1, 2])), /./],
    ['an event without a name', (peer) => peer.value(Kind.EVENT, 0, { data: 1 }), /no name/],
    ['a host call without a method', (peer) => peer.value(Kind.HOST_CALL, 1, {}), /no method/],
    [
      'a frame that is too long',
      (peer, id) => peer.raw(Kind.RESULT, id, Buffer.alloc(MAX_FRAME + 1)),
      /exceeds maxFrameBytes/,
    ],
    ['garbage', (peer) => peer.socket.write(Buffer.alloc(64, 0xff)), /exceeds maxFrameBytes/],
  ];
  it.each(breaches)('fails once with a protocol error for %s', async (_, breach, reason) => {
    const { channel, peer, owner } = await open();
    const call = new Call();
    const bystander = new Call();
    const id = channel.send(call, 0);
    channel.send(bystander, 0);
    await peer.next(Kind.CALL);
    await peer.next(Kind.CALL);
    breach(peer, id);
    peer.frame(0x7e, 0).flush();
    peer.socket.end();
    await owner.failed;
    await new Promise<void>((resolve) => void peer.socket.once('close', resolve).resume());
    expect(owner.failures).toEqual([{ kind: 'protocol-error', reason: expect.stringMatching(reason) as string }]);
    expect(bystander.heard).toEqual([]);
    expect(channel.abandon().map(({ call: left }) => left)).toContain(bystander);
  });

  it('answers and sends nothing after it has failed', async () => {
    const { channel, peer, owner, host } = await open();
    peer.frame(0x7f, 0).flush();
    await owner.failed;
    const write = vi.spyOn(host, 'write');
    channel.send(new Call(), 0);
    await new Promise<void>((resolve) => void setImmediate(resolve));
    expect(write).not.toHaveBeenCalled();
    expect(channel.abandon()).toMatchObject([{ wasWritten: false }]);
  });

  it.each([
    ['ends', (peer: Peer) => void peer.socket.end()],
    ['is destroyed', (peer: Peer) => void peer.socket.destroy()],
  ])('tells once that it is closed when the worker’s socket %s, and keeps its calls', async (_, close) => {
    const { channel, peer, owner, host } = await open();
    const call = new Call();
    channel.send(call, 0);
    await peer.next(Kind.CALL);
    const closed = new Promise<void>((resolve) => void host.once('close', resolve));
    close(peer);
    await owner.failed;
    host.destroy();
    await closed;
    expect(owner.failures).toEqual([{ kind: 'closed' }]);
    expect(call.heard).toEqual([]);
    expect(channel.abandon()).toEqual([{ call, wasWritten: true }]);
    expect(channel.inFlight).toBe(0);
  });

  it('tells written calls from unwritten ones when it is abandoned, and hands each back once', async () => {
    const { channel, peer, owner, host } = await open();
    const written = new Call();
    const unwritten = new Call();
    channel.send(written, 0);
    await peer.next(Kind.CALL);
    channel.send(unwritten, 0);
    expect(channel.abandon()).toEqual([
      { call: written, wasWritten: true },
      { call: unwritten, wasWritten: false },
    ]);
    expect(channel.abandon()).toEqual([]);
    await new Promise<void>((resolve) => void host.once('close', resolve));
    expect(owner.failures).toEqual([]);
    expect(host.destroyed).toBe(true);
  });

  it('tells once that it is full and once that it has room again', async () => {
    const { channel, peer, owner } = await open();
    peer.socket.pause();
    // One write of this size is more than what the kernel and Node's stream take at once.
    for (let round = 0; round < 400; round += 1) channel.send(new Call({ args: 'x'.repeat(4_000) }), 0);
    await owner.untilRooms(1);
    expect(owner.rooms).toEqual([false]);
    channel.send(new Call(), 0);
    await new Promise<void>((resolve) => void process.nextTick(resolve));
    expect(owner.rooms).toEqual([false]);
    peer.socket.resume();
    await owner.untilRooms(2);
    expect(owner.rooms).toEqual([false, true]);
    for (let round = 0; round < 401; round += 1) await peer.next(Kind.CALL);
    channel.send(new Call({ args: 'last' }), 0);
    expect(peer.valueOf(await peer.next(Kind.CALL))).toBe('last');
  });

  it('reads frames that arrive byte by byte', async () => {
    const { channel, peer } = await open();
    const call = new Call();
    const id = channel.send(call, 0);
    await peer.next(Kind.CALL);
    const bytes = Buffer.alloc(64);
    const out = new ByteWriter();
    const start = out.beginFrame();
    peer.codec.encode('whole', out);
    out.endFrame(start, Kind.RESULT, 0, 3, id);
    const frame = out.take();
    frame.copy(bytes);
    for (const byte of frame) {
      peer.socket.write(Buffer.from([byte]));
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
    await call.ended;
    expect(call.heard).toEqual([['result', 'whole', 3]]);
  });
});
