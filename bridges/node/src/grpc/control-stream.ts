import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { HostBatch, WorkerBatchInit, WorkerMessageInit } from 'nestjs-snakepit/codec/grpc';

import type { RpcStatus } from './failure-status.js';

export type AttachRpc = ServerDuplexStream<HostBatch, WorkerBatchInit>;

const MAX_BATCH_BYTES = 64 * 1024;

/** Sends what one turn of the event loop has to say as one batch. */
export class ControlStream {
  #messages: WorkerMessageInit[] = [];
  #bytes = 0;

  constructor(private readonly rpc: AttachRpc) {}

  /** @param bytes about how large the message is */
  send(message: WorkerMessageInit, bytes = 0): void {
    if (this.rpc.cancelled || this.rpc.writableEnded) return;
    if (this.#bytes + bytes > MAX_BATCH_BYTES) this.#flush();
    this.#messages.push(message);
    this.#bytes += bytes;
    if (this.#messages.length === 1) process.nextTick(this.#flush);
  }

  /** Sends what waits, and ends the RPC with OK. */
  end(): void {
    this.#flush();
    if (!this.rpc.writableEnded) this.rpc.end();
  }

  fail(status: RpcStatus): void {
    this.#messages = [];
    this.rpc.emit('error', status);
  }

  readonly #flush = (): void => {
    if (this.#messages.length === 0) return;
    const messages = this.#messages;
    this.#messages = [];
    this.#bytes = 0;
    if (!this.rpc.writableEnded) this.rpc.write({ messages });
  };
}
