import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import {
  ByteWriter,
  COMMAND_BY_NAME,
  createCodec,
  encodeHello,
  Flag,
  FrameReader,
  Kind,
  parseWorkerHello,
  type Codec,
  type CodecName,
  type WorkerHello,
} from 'nestjs-snakepit/codec';

const WORKER = fileURLToPath(new URL('../dist/worker.js', import.meta.url));

export const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

export interface Frame {
  readonly kind: number;
  readonly aux: number;
  readonly id: number;
  readonly value: unknown;
}

export interface CallOptions {
  readonly deadlineMs?: number;
  readonly meta?: object;
  readonly stream?: boolean;
  readonly id?: number;
}

/** A real worker process, spoken to in frames. */
export class WorkerProcess {
  readonly child: ChildProcess;
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  stdout = '';
  hello: WorkerHello | { error: { message: string } } | undefined;
  readonly codec: Codec;
  readonly out = new ByteWriter();
  readonly #reader = new FrameReader(1 << 26);
  #lastId = 0;
  #waiting: (() => void)[] = [];

  constructor(
    codec: CodecName,
    module: string,
    private readonly helloOverrides: object = {},
  ) {
    this.codec = createCodec(codec, { maxDepth: 64 });
    this.child = spawn(process.execPath, [WORKER, '--module', module], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, SNAKEPIT_PROTOCOL: 'v2', SNAKEPIT_FD: '3', SNAKEPIT_WORKER_ID: 'w-1', SNAKEPIT_POOL: 'w' },
    });
    this.child.stdout!.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr!.resume();
    this.socket = this.child.stdio[3] as Socket;
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk: Buffer) => this.#reader.push(chunk, this));
  }

  async start(): Promise<this> {
    const { codec, helloOverrides } = this;
    const hello = {
      protocol: [2],
      codecs: [codec.name],
      maxFrameBytes: 1 << 20,
      maxDepth: 64,
      streamCredit: 4,
      workerId: 'w-1',
      pool: 'w',
      ...helloOverrides,
    };
    encodeHello(hello, this.out);
    this.flush();
    await this.until(() => this.hello !== undefined);
    return this;
  }

  onFrame(kind: number, flags: number, aux: number, id: number, bytes: Buffer, start: number, end: number): void {
    if (kind === Kind.HELLO) {
      this.hello = parseWorkerHello(bytes, start, end);
    } else {
      this.frames.push({ kind, aux, id, value: this.codec.decode(bytes, start, end, flags) });
      if (kind === Kind.HOST_CALL) this.onHostCall?.(this.frames.at(-1)!);
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  onHostCall: ((frame: Frame) => void) | undefined;

  /** Adds a call to what `flush` sends. */
  write(
    command: string,
    args: unknown,
    { deadlineMs, meta, stream = false, id = ++this.#lastId }: CallOptions = {},
  ): number {
    const index = (this.hello as WorkerHello).commands.findIndex((each) => each.name === command);
    const start = this.out.beginFrame();
    let flags = stream ? Flag.STREAM : 0;
    if (deadlineMs !== undefined) {
      flags |= Flag.DEADLINE;
      this.out.writeUInt32(deadlineMs);
    }
    const fullMeta = index < 0 ? { command, ...meta } : meta;
    if (fullMeta === undefined) flags |= this.codec.encode(args, this.out);
    else flags |= Flag.META | this.codec.encodeWithMeta(fullMeta, args, this.out);
    this.out.endFrame(start, Kind.CALL, flags, index < 0 ? COMMAND_BY_NAME : index, id);
    return id;
  }

  send(kind: number, aux: number, id: number, value?: unknown): void {
    const start = this.out.beginFrame();
    const flags = value === undefined ? 0 : this.codec.encode(value, this.out);
    this.out.endFrame(start, kind, flags, aux, id);
    this.flush();
  }

  flush(): void {
    this.socket.write(this.out.take());
  }

  /** Makes a call and waits for the frame that ends it. */
  async call(command: string, args: unknown, options: CallOptions = {}): Promise<Frame> {
    const id = this.write(command, args, options);
    this.flush();
    return await this.ending(id);
  }

  async ending(id: number): Promise<Frame> {
    const isEnd = (frame: Frame): boolean =>
      frame.id === id && (frame.kind === Kind.RESULT || frame.kind === Kind.ERROR || frame.kind === Kind.END);
    await this.until(() => this.frames.some(isEnd));
    return this.frames.find(isEnd)!;
  }

  of(kind: number): unknown[] {
    return this.frames.filter((frame) => frame.kind === kind).map((frame) => frame.value);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Exit code or signal. */
  async exit(): Promise<number | string> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return child.exitCode ?? child.signalCode!;
  }

  kill(): void {
    if (this.child.exitCode === null && this.child.signalCode === null) process.kill(-this.child.pid!, 'SIGKILL');
  }
}
