import type { Codec, ErrorBody } from '../codec/index.js';
import {
  decodeCallReply,
  decodeStreamItem,
  WorkerService,
  type CallReply,
  type Failure,
  type StreamEnd,
} from '../codec/grpc/index.js';
import { ProtocolViolation } from '../codec/index.js';
import { SnakepitError, toError } from '../core/index.js';
import type { CallId, ChannelCall } from './channel.js';
import type { GrpcConnection } from './grpc-connection.js';
import {
  decodeBody,
  describeStatus,
  failureOf,
  isProtocolStatus,
  isRefusedRpc,
  Status,
  statusError,
  errorBodyOf,
} from './grpc-failure.js';
import type { GrpcListener, GrpcRpc, GrpcStatus } from './grpc-library.js';
import { toCallerError, type ChannelName } from './remote-failure.js';

/** Requests below this are not worth watching on their way out. */
const WATCHED_BYTES = 16 * 1024;

/** What a call tells its channel. */
export interface GrpcCallOwner {
  readonly codec: Codec;
  readonly name: ChannelName;
  /** The worker has spoken; a message of so many bytes has come, if any has. */
  onHeard(bytes?: number): void;
  /** It is about to tell its listener the outcome, and is in flight no more. */
  onOver(call: GrpcCall): void;
  /** Its RPC has ended without the worker's word: the worker must say when it is through with the call. */
  onUnanswered(call: GrpcCall, reason: 'caller' | 'deadline'): void;
  onViolation(reason: string): void;
  /** So many bytes of requests more, or less, wait to be written. */
  onBacklog(bytes: number): void;
}

/** What the worker itself said of how a call ended. */
type Outcome =
  | { readonly kind: 'result'; readonly value: unknown; readonly serviceUs: number; readonly notices: number }
  | { readonly kind: 'end'; readonly serviceUs: number; readonly notices: number }
  | { readonly kind: 'failure'; readonly failure: Failure; readonly serviceUs: number; readonly notices: number };

/**
 * One call and its RPC. It is over when two things have happened: the RPC has ended with the worker's word on the call, and all that
 * was said of it on the control stream, which is another RPC, has come in. An RPC that ends without the worker's word (its
 * deadline passed, a proxy gave up) leaves the call in the worker's hands until the worker says `released`.
 */
export abstract class GrpcCall implements GrpcListener {
  readonly id: CallId;
  readonly call: ChannelCall;
  /** Its request may have left the host. */
  isSent = false;
  /** The worker has been asked to stop. */
  isStopping = false;

  protected readonly owner: GrpcCallOwner;
  protected rpc: GrpcRpc | undefined;
  #request: Buffer | undefined;
  #backlogBytes = 0;
  #isOver = false;
  /** Messages on the control stream that named it. */
  #notices = 0;
  #outcome: Outcome | undefined;
  /** What the metadata of a failure had no room for. */
  #wholeFailure: Failure | undefined;
  /** How its RPC ended without the worker's word. */
  #lost: GrpcStatus | undefined;
  #releasedUs: number | undefined;

  constructor(id: CallId, call: ChannelCall, request: Buffer, owner: GrpcCallOwner) {
    this.id = id;
    this.call = call;
    this.owner = owner;
    this.#request = request;
    if (request.length < WATCHED_BYTES) return;
    this.#backlogBytes = request.length;
    owner.onBacklog(request.length);
  }

  protected abstract readonly path: string;
  /** May throw ProtocolViolation. */
  protected abstract readMessage(message: Buffer): void;
  /** The RPC has ended well; the outcome, or undefined where none came. */
  protected abstract readonly answer: Outcome | undefined;

  start(connection: GrpcConnection, deadline: number): void {
    const request = this.#request;
    if (request === undefined) throw new Error(`call ${this.id} was started before`);
    this.#request = undefined;
    this.isSent = true;
    const rpc = connection.start(this.path, deadline, this);
    this.rpc = rpc;
    rpc.sendMessageWithContext(
      this.#backlogBytes > 0 ? { callback: () => this.#stopWatching() } : NOBODY_WATCHES,
      request,
    );
    rpc.halfClose();
    rpc.startRead();
  }

  onReceiveMetadata(): void {}

  onReceiveMessage(message: Buffer): void {
    if (this.#isOver) return;
    this.owner.onHeard(message.length);
    try {
      this.readMessage(message);
    } catch (error) {
      this.#onBroken(error);
    }
  }

  onReceiveStatus(status: GrpcStatus): void {
    this.#stopWatching();
    if (this.#isOver) return;
    try {
      this.#readStatus(status);
    } catch (error) {
      this.#onBroken(error);
    }
  }

  /** Something was said of it on the control stream. */
  onNotice(): void {
    this.#notices += 1;
    this.#settleIfComplete();
  }

  /** To be called before {@link onNotice}. */
  onWholeFailure(failure: Failure): void {
    this.#wholeFailure = failure;
  }

  onReleased(serviceUs: number): void {
    this.#releasedUs = serviceUs;
    this.#settleIfReleased();
  }

  /** Ends the RPC; nothing is told to anybody. */
  abandon(): void {
    this.#isOver = true;
    this.rpc?.cancelWithStatus(Status.CANCELLED, 'the host has left');
  }

  #readStatus(status: GrpcStatus): void {
    if (status.code === Status.OK) {
      this.owner.onHeard();
      const { answer } = this;
      if (answer === undefined) throw new ProtocolViolation(`'${this.call.command}' ended well, but without its end`);
      this.#outcome = answer;
      return this.#settleIfComplete();
    }
    const failure = failureOf(status);
    if (failure === undefined) return this.#onLost(status);
    this.owner.onHeard();
    this.#outcome = { kind: 'failure', failure, serviceUs: failure.serviceUs, notices: failure.notices };
    this.#settleIfComplete();
  }

  #onLost(status: GrpcStatus): void {
    if (isProtocolStatus(status.code)) {
      this.#fail(statusError(status, this.call.command, this.owner.name), 0);
      return this.owner.onViolation(`'${this.call.command}' ended with ${describeStatus(status)}`);
    }
    // The worker does not know of it, and so has nothing to release.
    if (isRefusedRpc(status)) return this.#fail(statusError(status, this.call.command, this.owner.name), 0);
    this.#lost = status;
    if (this.#releasedUs !== undefined) return this.#settleIfReleased();
    this.owner.onUnanswered(this, status.code === Status.DEADLINE_EXCEEDED ? 'deadline' : 'caller');
  }

  #settleIfComplete(): void {
    const outcome = this.#outcome;
    if (outcome === undefined || this.#isOver || this.#notices < outcome.notices) return;
    switch (outcome.kind) {
      case 'result':
        this.#finish();
        return this.call.onResult(outcome.value, outcome.serviceUs);
      case 'end':
        this.#finish();
        return this.call.onEnd(outcome.serviceUs);
      case 'failure':
        return this.#fail(this.#callerError(outcome.failure), outcome.serviceUs);
    }
  }

  #settleIfReleased(): void {
    if (this.#lost === undefined || this.#releasedUs === undefined || this.#isOver) return;
    this.#fail(statusError(this.#lost, this.call.command, this.owner.name), this.#releasedUs);
  }

  #callerError(failure: Failure): SnakepitError {
    const { codec, name } = this.owner;
    const body: ErrorBody = errorBodyOf(this.#wholeFailure ?? failure, codec);
    return toCallerError(body, this.call.command, name);
  }

  #fail(error: SnakepitError, serviceUs: number): void {
    this.#finish();
    this.call.onFailure(error, serviceUs);
  }

  #finish(): void {
    this.#isOver = true;
    this.owner.onOver(this);
  }

  #onBroken(error: unknown): void {
    if (!(error instanceof ProtocolViolation)) throw error;
    this.owner.onViolation(toError(error).message);
  }

  /** The request has left, or never will. */
  #stopWatching(): void {
    if (this.#backlogBytes === 0) return;
    const bytes = this.#backlogBytes;
    this.#backlogBytes = 0;
    this.owner.onBacklog(-bytes);
  }
}

const NOBODY_WATCHES = {};

/** A call that has one result. */
export class GrpcUnary extends GrpcCall {
  protected readonly path = WorkerService.execute.path;
  #reply: CallReply | undefined;
  #value: unknown;

  protected readMessage(message: Buffer): void {
    if (this.#reply !== undefined) throw new ProtocolViolation(`'${this.call.command}' was answered twice`);
    const reply = decodeCallReply(message);
    const { body, tagged } = reply;
    this.#value = decodeBody({ data: body, tagged }, this.owner.codec);
    this.#reply = reply;
    // A second answer that nobody reads would hold the status back.
    this.rpc?.startRead();
  }

  protected get answer(): Outcome | undefined {
    if (this.#reply === undefined) return undefined;
    const { serviceUs, notices } = this.#reply;
    return { kind: 'result', value: this.#value, serviceUs, notices };
  }
}

export class GrpcStream extends GrpcCall {
  protected readonly path = WorkerService.executeStream.path;
  #end: StreamEnd | undefined;

  protected readMessage(message: Buffer): void {
    const { progress, chunks, end } = decodeStreamItem(message);
    const { codec } = this.owner;
    if (progress !== undefined) this.call.onProgress(decodeBody(progress, codec));
    for (const chunk of chunks) this.call.onChunk(decodeBody(chunk, codec));
    this.#end = end;
    this.rpc?.startRead();
  }

  protected get answer(): Outcome | undefined {
    return this.#end && { kind: 'end', serviceUs: this.#end.serviceUs, notices: this.#end.notices };
  }
}
