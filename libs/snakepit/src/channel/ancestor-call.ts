import { ancestor, type AncestorValues } from '../codec/grpc/index.js';
import { ProtocolViolation } from '../codec/index.js';
import { SnakepitError, type Clock } from '../core/index.js';
import { readFailedRpc } from './ancestor-status.js';
import type { CallId, ChannelCall } from './channel.js';
import type { GrpcConnection } from './grpc-connection.js';
import { describeStatus, isRefusedRpc, Status } from './grpc-failure.js';
import type { GrpcListener, GrpcRpc, GrpcStatus } from './grpc-library.js';
import { toCallerError, type ChannelName } from './remote-failure.js';

/** What a call tells its channel. */
export interface AncestorCallOwner {
  readonly values: AncestorValues;
  readonly name: ChannelName;
  readonly clock: Clock;
  /** The worker has spoken; a message of so many bytes has come, if any has. */
  onHeard(bytes?: number): void;
  onSent(bytes: number): void;
  /** It is about to tell its listener the outcome, and is in flight no more. */
  onOver(call: AncestorCall): void;
  /** Nobody knows whether its command still runs: the worker has to go. */
  onLost(reason: string): void;
  onViolation(reason: string): void;
}

export interface AncestorRequest {
  readonly path: string;
  readonly message: Buffer;
}

const NOBODY_WATCHES = {};

/** One call and its RPC; it is over when the RPC has ended. */
export abstract class AncestorCall implements GrpcListener {
  readonly id: CallId;
  readonly call: ChannelCall;
  /** Its request may have left the host. */
  isSent = false;
  /** Its caller has left before it was sent, and it must not be sent any more. */
  isTakenBack = false;

  protected readonly owner: AncestorCallOwner;
  protected rpc: GrpcRpc | undefined;
  protected isOver = false;
  #request: AncestorRequest | undefined;
  #sentAt = 0;

  constructor(id: CallId, call: ChannelCall, request: AncestorRequest, owner: AncestorCallOwner) {
    this.id = id;
    this.call = call;
    this.owner = owner;
    this.#request = request;
  }

  /** May throw ProtocolViolation. */
  protected abstract readMessage(message: Buffer): void;
  /** The RPC has ended well. May throw ProtocolViolation. */
  protected abstract onWell(): void;
  /** Asks a command that has been sent to stop; false where nothing can be done but wait. */
  protected abstract stopSent(reason: 'caller' | 'deadline'): boolean;

  start(connection: GrpcConnection): void {
    const request = this.#request;
    if (request === undefined) throw new Error(`call ${this.id} was started before`);
    this.#request = undefined;
    this.isSent = true;
    this.#sentAt = this.owner.clock.now();
    // Without a deadline of its own: an answer that comes late still tells that the worker is free again.
    const rpc = connection.start(request.path, Infinity, this);
    this.rpc = rpc;
    this.owner.onSent(request.message.length);
    rpc.sendMessageWithContext(NOBODY_WATCHES, request.message);
    rpc.halfClose();
    rpc.startRead();
  }

  stop(reason: 'caller' | 'deadline'): boolean {
    if (this.isSent) return this.stopSent(reason);
    this.isTakenBack = true;
    return true;
  }

  /** Ends a call that was taken back. */
  giveBack(): void {
    this.fail(this.#cancelled('not-started'));
  }

  onReceiveMetadata(): void {}

  onReceiveMessage(message: Buffer): void {
    if (this.isOver) return;
    this.owner.onHeard(message.length);
    this.#orBroken(() => this.readMessage(message));
  }

  onReceiveStatus(status: GrpcStatus): void {
    if (this.isOver) return;
    if (status.code === Status.OK) {
      this.owner.onHeard();
      return this.#orBroken(() => this.onWell());
    }
    this.onFailedStatus(status);
  }

  /** Ends the RPC; nothing is told to anybody. */
  abandon(): void {
    this.isOver = true;
    this.rpc?.cancelWithStatus(Status.CANCELLED, 'the host has left');
  }

  protected onFailedStatus(status: GrpcStatus): void {
    // The call is lost with its worker, and yet certainly did not start.
    if (isRefusedRpc(status)) this.isSent = false;
    const failed = readFailedRpc(status, this.call.command, this.owner.name);
    if (failed.error !== undefined) this.fail(failed.error);
    const reason = `'${this.call.command}' ended with ${describeStatus(status)}`;
    if (failed.worker === 'lost') return this.owner.onLost(reason);
    if (failed.worker === 'broken') return this.owner.onViolation(reason);
    this.owner.onHeard();
  }

  /** Ends the RPC, and the call as a cancelled one. */
  protected reset(): void {
    this.rpc?.cancelWithStatus(Status.CANCELLED, 'the caller has left');
    this.fail(this.#cancelled('may-have-run'));
  }

  /** By the text that a bridge gives as the reason. */
  protected failRemotely(message: string): void {
    this.fail(toCallerError({ code: 'REMOTE_ERROR', type: 'Error', message }, this.call.command, this.owner.name));
  }

  protected fail(error: SnakepitError): void {
    const serviceUs = this.finish();
    this.call.onFailure(error, serviceUs);
  }

  /** Returns how long it took, in microseconds; the bridge does not tell, and what the host sees comes close. */
  protected finish(): number {
    this.isOver = true;
    this.owner.onOver(this);
    return this.isSent ? (this.owner.clock.now() - this.#sentAt) * 1_000 : 0;
  }

  #cancelled(delivery: 'not-started' | 'may-have-run'): SnakepitError {
    return new SnakepitError('CANCELLED', { command: this.call.command, ...this.owner.name }, { delivery });
  }

  #orBroken(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.owner.onViolation(error.message);
    }
  }
}

/** A call that has one result. Resetting its RPC would not stop the command, and would leave nobody who tells when it is through. */
export class AncestorUnary extends AncestorCall {
  #response: ancestor.ExecuteResponse | undefined;
  #result: unknown;

  protected readMessage(message: Buffer): void {
    if (this.#response !== undefined) throw new ProtocolViolation(`'${this.call.command}' was answered twice`);
    const response = ancestor.decodeExecuteResponse(message);
    if (response.success) this.#result = this.owner.values.decodeMembers(response.result);
    this.#response = response;
    // A second answer that nobody reads would hold the status back.
    this.rpc?.startRead();
  }

  protected onWell(): void {
    const response = this.#response;
    if (response === undefined) throw new ProtocolViolation(`'${this.call.command}' ended well, but without an answer`);
    if (!response.success) return this.failRemotely(response.error || 'the bridge gave no reason');
    const serviceUs = this.finish();
    this.call.onResult(this.#result, serviceUs);
  }

  protected stopSent(): boolean {
    return false;
  }
}

/** A stream, which is read as far as it has credit: beyond that, HTTP/2's flow control holds the bridge back. */
export class AncestorStream extends AncestorCall {
  #credit: number;
  #isReading = true;
  /** Its deadline has passed: the next sign of life will do to end it. */
  #isOverdue = false;
  #error: string | undefined;
  #hasEnded = false;

  constructor(id: CallId, call: ChannelCall, request: AncestorRequest, owner: AncestorCallOwner, credit: number) {
    super(id, call, request, owner);
    this.#credit = credit;
  }

  grant(chunks: number): void {
    this.#credit += chunks;
    if (this.isSent) this.#readOn();
  }

  protected readMessage(message: Buffer): void {
    this.#isReading = false;
    if (this.#isOverdue) return this.reset();
    if (!this.#hasEnded) this.#take(ancestor.decodeStreamResponse(message));
    this.#readOn();
  }

  protected onWell(): void {
    if (this.#error !== undefined) return this.failRemotely(this.#error);
    const serviceUs = this.finish();
    this.call.onEnd(serviceUs);
  }

  /** How a stream ended that has said so is known, whatever becomes of its RPC. */
  protected override onFailedStatus(status: GrpcStatus): void {
    if (this.#hasEnded) this.onWell();
    else super.onFailedStatus(status);
  }

  /**
   * Resetting the RPC ends the command at its next chunk. When the deadline has passed the stream may hang, and then no chunk comes:
   * so that is waited for, and a worker without one is known to be stuck.
   */
  protected stopSent(reason: 'caller' | 'deadline'): boolean {
    if (this.isOver) return true;
    if (reason === 'caller') {
      this.reset();
      return true;
    }
    this.#isOverdue = true;
    this.#readOn();
    return true;
  }

  #take({ error, chunk, isFinal }: ancestor.StreamResponse): void {
    this.#hasEnded = error !== '' || isFinal;
    if (error !== '') {
      this.#error = error;
    } else if (chunk.size > 0 || !isFinal) {
      this.#credit -= 1;
      this.call.onChunk(this.owner.values.decodeMembers(chunk));
    }
  }

  #readOn(): void {
    if (this.#isReading || this.isOver) return;
    if (this.#credit <= 0 && !this.#isOverdue && !this.#hasEnded) return;
    this.#isReading = true;
    this.rpc?.startRead();
  }
}
