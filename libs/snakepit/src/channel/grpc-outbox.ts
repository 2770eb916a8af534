import { encodeHostBatch, type HostMessageInit } from '../codec/grpc/index.js';
import type { GrpcRpc } from './grpc-library.js';

/** Batches need not grow beyond this; one larger message is a batch of its own. */
const BATCH_BYTES = 64 * 1024;
const SMALL_MESSAGE_BYTES = 64;

/**
 * What the host has to say on the control stream, in order.
 *
 * A gRPC message costs far more than a message of a batch, so everything of one turn of the event loop, and all that comes while a
 * batch is being written, leaves in the next batch.
 */
export class GrpcOutbox {
  readonly #rpc: GrpcRpc;
  #waiting: HostMessageInit[] = [];
  #isWriting = false;
  #isClosing = false;

  constructor(rpc: GrpcRpc) {
    this.#rpc = rpc;
  }

  push(message: HostMessageInit): void {
    this.#waiting.push(message);
  }

  /** Ends the host's side of the control stream behind what waits. */
  close(): void {
    this.#isClosing = true;
  }

  flush(): void {
    if (this.#isWriting) return;
    if (this.#waiting.length > 0) return this.#write(this.#nextBatch());
    if (!this.#isClosing) return;
    this.#isClosing = false;
    this.#rpc.halfClose();
  }

  #write(messages: readonly HostMessageInit[]): void {
    this.#isWriting = true;
    this.#rpc.sendMessageWithContext({ callback: this.#onWritten }, encodeHostBatch({ messages }));
  }

  #nextBatch(): HostMessageInit[] {
    const waiting = this.#waiting;
    let bytes = 0;
    const end = waiting.findIndex((message, index) => {
      bytes += bytesOf(message);
      return index > 0 && bytes > BATCH_BYTES;
    });
    this.#waiting = end < 0 ? [] : waiting.slice(end);
    return end < 0 ? waiting : waiting.slice(0, end);
  }

  readonly #onWritten = (): void => {
    this.#isWriting = false;
    this.flush();
  };
}

/** About; only answers to host calls can be large. */
function bytesOf({ hostReply }: HostMessageInit): number {
  return SMALL_MESSAGE_BYTES + (hostReply?.result?.data?.length ?? 0);
}
