import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Socket } from 'node:net';
import {
  Client,
  credentials,
  Metadata,
  type ChannelCredentials,
  type ClientDuplexStream,
  type ServiceError,
} from '@grpc/grpc-js';
import { ByteWriter, createCodec, Flag, type Codec, type CodecName } from 'nestjs-snakepit/codec';
import {
  decodeFailure,
  HealthService,
  WorkerService,
  type BodyInit,
  type CallReply,
  type CallRequestInit,
  type Failure,
  type HostBatchInit,
  type HostHelloInit,
  type HostMessageInit,
  type StreamItem,
  type WorkerBatch,
  type WorkerHello,
  type WorkerMessage,
} from 'nestjs-snakepit/codec/grpc';

const WORKER = fileURLToPath(new URL('../dist/worker.js', import.meta.url));
export const TOKEN = 'a-token-of-the-specs';
const MESSAGE_BYTES = 1 << 27;

export interface Tls {
  readonly credentials: ChannelCredentials;
  readonly serverName: string;
}

/** What a call ended with. */
export interface Ending {
  readonly status: number;
  readonly details: string;
  readonly value?: unknown;
  readonly chunks?: unknown[];
  readonly failure?: Failure;
  readonly notices: number;
  readonly serviceUs: number;
}

export interface RpcOptions {
  readonly id?: number;
  readonly attachment?: number;
  readonly deadlineMs?: number;
  readonly token?: string | null;
  readonly meta?: CallRequestInit['meta'];
  readonly body?: BodyInit;
}

/** A socket's path in a folder that `remove` removes. */
export function socketPath(): { path: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), 'snakepit-spec-'));
  return { path: join(dir, 'w.sock'), remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** A real worker process that speaks gRPC: with a lifeline, or standalone. */
export class GrpcWorkerProcess {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  #lines: AsyncIterableIterator<string>;

  private constructor(args: readonly string[], withLifeline: boolean, env: NodeJS.ProcessEnv) {
    const own = withLifeline
      ? { SNAKEPIT_PROTOCOL: 'grpc', SNAKEPIT_FD: '3', SNAKEPIT_WORKER_ID: 'w-1', SNAKEPIT_POOL: 'w' }
      : {};
    this.child = spawn(process.execPath, [WORKER, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', ...(withLifeline ? (['pipe'] as const) : [])],
      detached: true,
      env: { ...process.env, ...own, ...env },
    });
    this.child.stdout!.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    const input = withLifeline ? this.lifeline : this.child.stdout!;
    input.on('error', () => {});
    this.#lines = createInterface({ input })[Symbol.asyncIterator]();
  }

  static owned(module: string, offer: object, env: NodeJS.ProcessEnv = {}): GrpcWorkerProcess {
    const worker = new GrpcWorkerProcess(['--module', module], true, env);
    const whole = { protocol: 'grpc', token: TOKEN, maxFrameBytes: 1 << 20, unknownMember: 1, ...offer };
    worker.lifeline.write(`${JSON.stringify(whole)}\n`);
    return worker;
  }

  static standalone(module: string, flags: readonly string[]): GrpcWorkerProcess {
    return new GrpcWorkerProcess(['--module', module, ...flags], false, {});
  }

  get lifeline(): Socket {
    return this.child.stdio[3] as unknown as Socket;
  }

  /** The line by which it says where it listens, or why it does not. */
  async answer(): Promise<{ listening?: string; error?: { code: string; message: string } }> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the worker ended without a word: ${this.stderr}`);
    return JSON.parse(value as string) as { listening?: string };
  }

  async listening(): Promise<string> {
    const answer = await this.answer();
    if (answer.listening === undefined) throw new Error(JSON.stringify(answer));
    return answer.listening;
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

/** A host: one channel to a worker, with or without a control stream. */
export class HostEnd {
  readonly client: Client;
  readonly received: WorkerMessage[] = [];
  codec: Codec = createCodec('json', { maxDepth: 64 });
  hello: WorkerHello | undefined;
  /** How the control stream ended. */
  ended: { code: number; details: string } | undefined;
  control: ClientDuplexStream<HostBatchInit, WorkerBatch> | undefined;
  onMessage: ((message: WorkerMessage) => void) | undefined;
  #lastId = 0;
  #waiting: (() => void)[] = [];

  constructor(address: string, tls?: Tls) {
    this.client = new Client(address, tls?.credentials ?? credentials.createInsecure(), {
      'grpc.max_receive_message_length': MESSAGE_BYTES,
      'grpc.max_send_message_length': MESSAGE_BYTES,
      'grpc.use_local_subchannel_pool': 1,
      ...(tls && { 'grpc.ssl_target_name_override': tls.serverName }),
    });
  }

  async attach(codec: CodecName, overrides: HostHelloInit = {}): Promise<this> {
    this.codec = createCodec(codec, { maxDepth: 64 });
    const { path, requestSerialize, responseDeserialize } = WorkerService.attach;
    const metadata = metadataOf(TOKEN);
    const control = this.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
    this.control = control;
    control.on('data', ({ messages }: WorkerBatch) => {
      for (const message of messages) this.#receive(message);
    });
    control.on('error', () => {});
    control.on('status', ({ code, details }) => {
      this.ended = { code, details };
      this.#wake();
    });
    const limits = { maxFrameBytes: 1 << 20, maxDepth: 64, streamCredit: 4 };
    this.say({ hello: { protocol: [2], codecs: [codec], typedArrays: true, ...limits, ...overrides } });
    await this.until(() => this.hello !== undefined || this.ended !== undefined);
    return this;
  }

  say(...messages: HostMessageInit[]): void {
    this.control!.write({ messages });
  }

  /** Index of a command, or undefined where the manifest does not list it. */
  request(command: string, args: unknown, options: RpcOptions = {}): CallRequestInit & { id: number } {
    const index = this.hello?.commands.findIndex((each) => each.name === command) ?? -1;
    const attachment = options.attachment ?? this.hello?.attachment ?? 0;
    const { data, tagged } = options.body ?? this.encode(args);
    return {
      attachment,
      id: options.id ?? (attachment === 0 ? 0 : (this.#lastId += 1)),
      ...(index < 0 ? { commandName: command } : { command: index }),
      body: data,
      tagged,
      meta: options.meta,
    };
  }

  call(command: string, args: unknown, options: RpcOptions = {}): Promise<Ending> {
    return this.send(this.request(command, args, options), options);
  }

  send(request: CallRequestInit, options: RpcOptions = {}): Promise<Ending> {
    const { path, requestSerialize, responseDeserialize } = WorkerService.execute;
    const deadline = deadlineOf(options);
    return new Promise((resolve) => {
      const answer = (error: ServiceError | null, reply?: CallReply): void =>
        resolve(error ? failedEnding(error) : { status: 0, details: '', ...this.#valueOf(reply!) });
      const metadata = metadataOf(options.token);
      this.client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, deadline, answer);
    });
  }

  /** A stream, its items as they come. */
  stream(command: string, args: unknown, options: RpcOptions = {}): RunningStream {
    const { path, requestSerialize, responseDeserialize } = WorkerService.executeStream;
    const request = this.request(command, args, options);
    const metadata = metadataOf(options.token);
    const deadline = deadlineOf(options);
    const rpc = this.client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      deadline,
    );
    const running: RunningStream = { id: request.id, items: [], chunks: [], cancel: () => rpc.cancel(), ending: null! };
    rpc.on('data', (item: StreamItem) => {
      running.items.push(item);
      running.chunks.push(...item.chunks.map((chunk) => this.decode(chunk.data, chunk.tagged)));
      this.#wake();
    });
    running.ending = new Promise((resolve) => {
      rpc.on('error', (error: ServiceError) => resolve({ ...failedEnding(error), chunks: running.chunks }));
      rpc.on('end', () => {
        const { serviceUs = 0, notices = 0 } = running.items.at(-1)?.end ?? {};
        // A failure's status comes behind.
        setImmediate(() => resolve({ status: 0, details: '', chunks: running.chunks, serviceUs, notices }));
      });
    });
    return running;
  }

  health(service = ''): Promise<number> {
    const { path, requestSerialize, responseDeserialize } = HealthService.check;
    return new Promise((resolve, reject) =>
      this.client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service }, (error, answer) =>
        error ? reject(error) : resolve(answer!.status),
      ),
    );
  }

  watchHealth(service = ''): number[] {
    const { path, requestSerialize, responseDeserialize } = HealthService.watch;
    const seen: number[] = [];
    const rpc = this.client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service });
    rpc.on('data', ({ status }: { status: number }) => {
      seen.push(status);
      this.#wake();
    });
    rpc.on('error', () => {});
    return seen;
  }

  encode(value: unknown): { data: Buffer; tagged: boolean } {
    const out = new ByteWriter();
    out.binary = { keepsTypes: true, maxBytes: Infinity, store: undefined };
    const flags = this.codec.encode(value, out);
    return { data: out.take(), tagged: (flags & Flag.TAGGED) !== 0 };
  }

  decode(data: Buffer, tagged: boolean): unknown {
    return this.codec.decode(data, 0, data.length, tagged ? Flag.TAGGED : 0);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.control?.cancel();
    this.client.close();
  }

  #valueOf({ body, tagged, serviceUs, notices }: CallReply): { value: unknown; serviceUs: number; notices: number } {
    return { value: this.decode(body, tagged), serviceUs, notices };
  }

  #receive(message: WorkerMessage): void {
    if (message.hello !== undefined) this.hello = message.hello;
    else this.received.push(message);
    this.onMessage?.(message);
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

export interface RunningStream {
  readonly id: number;
  readonly items: StreamItem[];
  readonly chunks: unknown[];
  cancel(): void;
  ending: Promise<Ending>;
}

function metadataOf(token: string | null | undefined): Metadata {
  const metadata = new Metadata();
  if (token !== null) metadata.set('authorization', `Bearer ${token ?? TOKEN}`);
  return metadata;
}

function deadlineOf({ deadlineMs }: RpcOptions): { deadline?: number } {
  return deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
}

function failedEnding(error: ServiceError): Ending {
  const [bytes] = error.metadata.get('snakepit-failure-bin');
  const failure = bytes === undefined ? undefined : decodeFailure(bytes as Buffer);
  const { notices = 0, serviceUs = 0 } = failure ?? {};
  return { status: error.code, details: error.details, ...(failure && { failure }), notices, serviceUs };
}
