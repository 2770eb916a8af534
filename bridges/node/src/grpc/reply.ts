import type { ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import type { BodyInit, CallReplyInit, CallRequest, StreamItemInit } from 'nestjs-snakepit/codec/grpc';

import type { RpcStatus } from './failure-status.js';
import type { Unsent } from './unsent.js';

/** Goes with every outcome. */
export interface Outcome {
  readonly serviceUs: number;
  /** Messages about the call that were sent on the control stream. */
  readonly notices: number;
}

export type UnaryRpc = ServerUnaryCall<CallRequest, CallReplyInit>;
export type UnaryAnswer = (error: RpcStatus | null, reply?: CallReplyInit) => void;
export type StreamRpc = ServerWritableStream<CallRequest, StreamItemInit>;

/** How a call is answered by its RPC; of no effect when that is over. */
export interface Reply {
  /** The RPC has ended: by its deadline, by a reset, or because it was answered. */
  readonly isOver: boolean;
  result(body: BodyInit, outcome: Outcome): void;
  chunk(body: BodyInit): void;
  end(outcome: Outcome): void;
  fail(status: RpcStatus): void;
  /** False where progress does not travel with the reply. */
  progress(body: BodyInit): boolean;
}

/** Notes the end of an RPC, whatever way it came, and tells once if it came before the answer. */
class Ending {
  isOver = false;
  #isAnswered = false;

  constructor(
    rpc: UnaryRpc | StreamRpc,
    private readonly unsent: Unsent,
    onLost: () => void,
  ) {
    // Comes after every end, and grpc-js calls each of them so.
    rpc.on('cancelled', () => {
      this.isOver = true;
      if (this.#isAnswered) this.unsent.remove();
      else onLost();
    });
  }

  /** False where there is nobody to answer any more. */
  answer(): boolean {
    if (this.isOver || this.#isAnswered) return false;
    this.#isAnswered = true;
    this.unsent.add();
    return true;
  }
}

export class UnaryReply implements Reply {
  readonly #ending: Ending;

  constructor(
    rpc: UnaryRpc,
    private readonly answer: UnaryAnswer,
    unsent: Unsent,
    onLost: () => void,
  ) {
    this.#ending = new Ending(rpc, unsent, onLost);
  }

  get isOver(): boolean {
    return this.#ending.isOver;
  }

  result({ data, tagged }: BodyInit, { serviceUs, notices }: Outcome): void {
    if (this.#ending.answer()) this.answer(null, { body: data, tagged, serviceUs, notices });
  }

  chunk(): void {
    throw new Error('Execute has no chunks');
  }

  end(): void {
    throw new Error('Execute has no chunks');
  }

  fail(status: RpcStatus): void {
    if (this.#ending.answer()) this.answer(status);
  }

  progress(): boolean {
    return false;
  }
}

const MAX_ITEM_BYTES = 64 * 1024;

/** Gathers what the command yields while the item before is being written. */
export class StreamReply implements Reply {
  readonly #ending: Ending;
  readonly #maxItemBytes: number;
  #chunks: BodyInit[] = [];
  #chunkBytes = 0;
  #progress: BodyInit | undefined;
  #writing = 0;

  constructor(
    private readonly rpc: StreamRpc,
    unsent: Unsent,
    maxFrameBytes: number,
    onLost: () => void,
    /** Told how many chunks have left this process. */
    private readonly onWritten: (chunks: number) => void,
  ) {
    this.#ending = new Ending(rpc, unsent, onLost);
    this.#maxItemBytes = Math.min(MAX_ITEM_BYTES, maxFrameBytes);
  }

  get isOver(): boolean {
    return this.#ending.isOver;
  }

  result(body: BodyInit, outcome: Outcome): void {
    this.chunk(body);
    this.end(outcome);
  }

  chunk(body: BodyInit): void {
    const bytes = body.data?.length ?? 0;
    if (this.#chunkBytes + bytes > this.#maxItemBytes) this.#flush();
    this.#chunks.push(body);
    this.#chunkBytes += bytes;
    if (this.#writing === 0) this.#flush();
  }

  /** Comes before the chunks of its item. */
  progress(body: BodyInit): boolean {
    if (this.#chunks.length > 0 || this.#progress !== undefined) this.#flush();
    this.#progress = body;
    if (this.#writing === 0) this.#flush();
    return true;
  }

  end(outcome: Outcome): void {
    if (!this.#ending.answer()) return;
    this.#write({ chunks: this.#chunks, progress: this.#progress, end: outcome });
    this.rpc.end();
  }

  fail(status: RpcStatus): void {
    if (!this.#ending.answer()) return;
    this.#flush();
    this.rpc.emit('error', status);
  }

  #flush(): void {
    if (this.#chunks.length === 0 && this.#progress === undefined) return;
    this.#write({ chunks: this.#chunks, progress: this.#progress });
  }

  #write(item: StreamItemInit): void {
    const chunks = this.#chunks.length;
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#progress = undefined;
    if (this.isOver) return;
    this.#writing += 1;
    this.rpc.write(item, () => {
      this.#writing -= 1;
      if (this.#writing === 0 && !this.rpc.writableEnded) this.#flush();
      this.onWritten(chunks);
    });
  }
}
