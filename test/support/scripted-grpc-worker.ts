import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as grpc from '@grpc/grpc-js';
import {
  CommandKind,
  encodeFailure,
  WorkerService,
  type CallReplyInit,
  type CallRequest,
  type FailureInit,
  type HostBatch,
  type HostMessage,
  type StreamItemInit,
  type WorkerBatchInit,
  type WorkerHelloInit,
  type WorkerMessageInit,
} from 'nestjs-snakepit/codec/grpc';

type Unary = grpc.ServerUnaryCall<CallRequest, CallReplyInit>;
type Streaming = grpc.ServerWritableStream<CallRequest, StreamItemInit>;
type Control = grpc.ServerDuplexStream<HostBatch, WorkerBatchInit>;
type Answer = grpc.sendUnaryData<CallReplyInit>;

export interface Script {
  readonly hello?: WorkerHelloInit;
  readonly execute?: (call: Unary, answer: Answer, worker: ScriptedGrpcWorker) => void;
  readonly executeStream?: (call: Streaming, worker: ScriptedGrpcWorker) => void;
  readonly attach?: (control: Control) => void;
  readonly credentials?: grpc.ServerCredentials;
}

const HELLO: WorkerHelloInit = {
  protocol: 2,
  codec: 'json',
  language: 'scripted',
  runtime: { name: 'none', version: '0' },
  sdk: { name: 'scripted', version: '0' },
  pid: process.pid,
  attachment: 1,
  commands: [
    { name: 'run', kind: CommandKind.CALL },
    { name: 'walk', kind: CommandKind.STREAM },
  ],
};

/** A worker that does at every step what the test wants: a real server, for what our SDKs never do. */
export class ScriptedGrpcWorker {
  readonly address: string;
  /** That was bound, where the address is of TCP. */
  port = 0;
  /** Everything the host said on the control stream, in order. */
  readonly heard: HostMessage[] = [];
  readonly #folder: string;
  readonly #server: grpc.Server;
  readonly #script: Script;
  #control: Control | undefined;
  #onHeard: () => void = () => {};

  static async start(script: Script = {}, address?: string): Promise<ScriptedGrpcWorker> {
    const worker = new ScriptedGrpcWorker(script, address);
    await worker.#listen();
    return worker;
  }

  private constructor(script: Script, address: string | undefined) {
    this.#script = script;
    this.#folder = mkdtempSync(join(tmpdir(), 'scripted-'));
    this.address = address ?? `unix:${join(this.#folder, 'worker.sock')}`;
    this.#server = new grpc.Server();
    this.#server.addService(WorkerService as unknown as grpc.ServiceDefinition, {
      attach: (control: Control) => this.#onAttach(control),
      execute: (call: Unary, answer: Answer) => script.execute?.(call, answer, this),
      executeStream: (call: Streaming) => script.executeStream?.(call, this),
    });
  }

  say(...messages: WorkerMessageInit[]): void {
    this.#control?.write({ messages });
  }

  /** Resolves with the first message that fits, whether it has come or is to come. */
  async hearing<Value>(pick: (message: HostMessage) => Value | undefined): Promise<Value> {
    for (;;) {
      const found = this.heard.map(pick).find((value) => value !== undefined);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#onHeard = resolve;
      });
    }
  }

  endControl(): void {
    this.#control?.end();
  }

  async stop(): Promise<void> {
    this.#server.forceShutdown();
    rmSync(this.#folder, { recursive: true, force: true });
    if (this.#control !== undefined && !this.#control.closed) await once(this.#control, 'close').catch(() => {});
  }

  #onAttach(control: Control): void {
    if (this.#script.attach !== undefined) return this.#script.attach(control);
    this.#control = control;
    control.on('error', () => {});
    control.on('end', () => control.end());
    control.on('data', ({ messages }: HostBatch) => {
      this.heard.push(...messages);
      if (messages.some(({ hello }) => hello !== undefined)) this.say({ hello: { ...HELLO, ...this.#script.hello } });
      for (const { ping } of messages) if (ping !== undefined) this.say({ pong: { id: ping.id } });
      this.#onHeard();
    });
  }

  async #listen(): Promise<void> {
    const credentials = this.#script.credentials ?? grpc.ServerCredentials.createInsecure();
    this.port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(this.address, credentials, (error, port) => (error ? reject(error) : resolve(port)));
    });
  }
}

/** A value as plain JSON. */
export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** What a worker's RPC ends with for a failed call. */
export function failureStatus(code: grpc.status, failure: FailureInit): Partial<grpc.ServiceError> {
  const metadata = new grpc.Metadata();
  metadata.set('snakepit-failure-bin', encodeFailure(failure));
  return { code, details: failure.message ?? '', metadata };
}
