import type { Socket } from 'node:net';

import {
  BinaryTooLarge,
  ByteWriter,
  CancelReason,
  EncodeError,
  Flag,
  Kind,
  parseErrorBody,
  parseEventBody,
  parseHostCallBody,
  parseLogBody,
  ProtocolViolation,
  type Arena,
  type BinaryForm,
  type Codec,
  type FrameReader,
  type FrameSink,
  type HostCallBody,
} from '../codec/index.js';
import type { Clock, SnakepitError } from '../core/index.js';
import type { CallId, Channel, ChannelCall, ChannelFailure, ChannelOwner, WorkerManifest } from './channel.js';
import { metaToSend } from './meta-to-send.js';
import { PendingCalls } from './pending-calls.js';
import { argumentsTooLarge, refusedArguments, unknownCommand } from './refused-call.js';
import { toCallerError, toErrorBody, withoutData, type ChannelName } from './remote-failure.js';
import type { Traffic } from './traffic.js';

const MAX_CREDIT_PER_FRAME = 0xffff;
/** What answers a host call is a map around the stored value. */
const RESULT_ENVELOPE_DEPTH = 1;

export interface FdChannelParts {
  readonly socket: Socket;
  /** The handshake's reader, which may hold the beginning of a frame. */
  readonly reader: FrameReader;
  readonly codec: Codec;
  /** Undefined: all binary travels in frames. */
  readonly arena: Arena | undefined;
  /** Whether the worker understands typed arrays. */
  readonly keepsTypes: boolean;
  readonly manifest: WorkerManifest;
  readonly name: ChannelName;
  readonly maxFrameBytes: number;
  readonly clock: Clock;
  readonly owner: ChannelOwner;
}

/**
 * Protocol v2: many calls at once over one socket.
 *
 * Frames of one turn of the event loop are encoded one behind the other into one buffer and leave in one write; system
 * calls are what limits small calls, not bytes.
 */
export class FdChannel implements Channel, FrameSink {
  readonly manifest: WorkerManifest;
  readonly maxInFlight = Infinity;
  readonly pipelineBudgetUs = 200;
  lastHeardAt: number;

  readonly #socket: Socket;
  readonly #codec: Codec;
  readonly #arena: Arena | undefined;
  /** How binary leaves in arguments, and in everything else: only a call's end tells that a slice is free again. */
  readonly #binaryOfCalls: BinaryForm;
  readonly #binaryInFrames: BinaryForm;
  /** Slices that calls in flight refer to. */
  readonly #leases = new Map<CallId, readonly number[]>();
  readonly #name: ChannelName;
  readonly #maxFrameBytes: number;
  readonly #clock: Clock;
  readonly #reader: FrameReader;
  readonly #out = new ByteWriter();
  readonly #pending = new PendingCalls();
  readonly #traffic: Traffic;
  readonly #commandIndexes: ReadonlyMap<string, number>;
  /** By index. */
  readonly #takesContext: readonly boolean[];
  /** Calls whose frames are still in `#out`, and how many: if the worker dies now, they certainly never started. */
  readonly #unwritten: CallId[] = [];
  #unwrittenCount = 0;
  #flushIsDue = false;
  #congested = false;
  /** Undefined once the channel has failed or was abandoned. */
  #owner: ChannelOwner | undefined;
  #nextPing = 1;

  constructor(parts: FdChannelParts) {
    this.#socket = parts.socket;
    this.#codec = parts.codec;
    this.#arena = parts.arena;
    this.#binaryInFrames = { keepsTypes: parts.keepsTypes, maxBytes: parts.maxFrameBytes, store: undefined };
    this.#binaryOfCalls = { ...this.#binaryInFrames, store: parts.arena };
    this.manifest = parts.manifest;
    this.#name = parts.name;
    this.#maxFrameBytes = parts.maxFrameBytes;
    this.#clock = parts.clock;
    this.#owner = parts.owner;
    this.#traffic = parts.owner.traffic;
    this.#reader = parts.reader;
    const commands = parts.manifest.commands ?? [];
    this.#commandIndexes = new Map(commands.map((command, index) => [command.name, index]));
    this.#takesContext = commands.map(({ context }) => context !== false);
    this.lastHeardAt = parts.clock.now();
  }

  listen(): void {
    this.#socket.on('data', this.#onData).on('drain', this.#onDrain);
    this.#socket.on('end', this.#onClosed).on('close', this.#onClosed).on('error', this.#onClosed);
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  callsInFlight(): readonly ChannelCall[] {
    return this.#pending.all();
  }

  send(call: ChannelCall, nowMs: number): CallId {
    const index = this.#commandIndexes.get(call.command);
    if (index === undefined) throw unknownCommand(call.command, this.#name.pool, this.#commandIndexes.keys());
    const out = this.#out;
    const id = this.#pending.add(call);
    const start = out.beginFrame();
    out.binary = this.#binaryOfCalls;
    try {
      let flags = call.kind === 'stream' ? Flag.STREAM : 0;
      const { deadline } = call;
      if (deadline !== Infinity) {
        flags |= Flag.DEADLINE;
        out.writeUInt32(Math.min(0xffffffff, Math.max(0, Math.ceil(deadline - nowMs))));
      }
      const meta = call.meta && metaToSend(call.meta, this.#takesContext[index]!);
      if (meta === undefined) {
        flags |= this.#codec.encode(call.args, out, 'args');
      } else {
        flags |= Flag.META | this.#codec.encodeWithMeta(meta, call.args, out);
      }
      const bytes = out.endFrame(start, Kind.CALL, flags, index, id) + (this.#arena?.placedBytes ?? 0);
      if (bytes > this.#maxFrameBytes) throw this.#tooLarge(call, bytes);
      this.#lease(id);
    } catch (error) {
      out.rollback(start);
      this.#pending.take(id);
      this.#arena?.free(this.#arena.takePlaced());
      if (error instanceof EncodeError) throw refusedArguments(call.command, this.#name.pool, error);
      throw error instanceof BinaryTooLarge ? this.#tooLarge(call, error.bytes) : error;
    }
    this.#unwritten[this.#unwrittenCount] = id;
    this.#unwrittenCount += 1;
    this.#flushSoon();
    return id;
  }

  cancel(id: CallId, reason: 'caller' | 'deadline'): boolean {
    this.#out.frame(Kind.CANCEL, 0, reason === 'caller' ? CancelReason.CALLER : CancelReason.DEADLINE, id);
    this.#flushSoon();
    return true;
  }

  grant(id: CallId, chunks: number): void {
    if (this.#pending.get(id) === undefined) return;
    for (let left = chunks; left > 0; left -= MAX_CREDIT_PER_FRAME) {
      this.#out.frame(Kind.CREDIT, 0, Math.min(left, MAX_CREDIT_PER_FRAME), id);
    }
    this.#flushSoon();
  }

  ping(): boolean {
    this.#nextPing = (this.#nextPing + 1) >>> 0 || 1;
    this.#out.frame(Kind.PING, 0, 0, this.#nextPing);
    this.#flushSoon();
    return true;
  }

  sessionClosed(sessionId: string): void {
    this.#sendValue(Kind.SESSION_CLOSED, 0, sessionId);
  }

  shutdown(): void {
    this.#out.frame(Kind.SHUTDOWN, 0, 0, 0);
    this.#flushSoon();
  }

  abandon(): Array<{ readonly call: ChannelCall; readonly wasWritten: boolean }> {
    this.#owner = undefined;
    this.#socket.off('data', this.#onData);
    this.#socket.off('drain', this.#onDrain);
    this.#socket.destroy();
    const unwritten = new Set(this.#unwritten.slice(0, this.#unwrittenCount));
    return this.#pending.takeAll().map(({ id, call }) => ({ call, wasWritten: !unwritten.has(id) }));
  }

  onFrame(kind: number, flags: number, aux: number, id: number, bytes: Buffer, start: number, end: number): void {
    switch (kind) {
      case Kind.RESULT: {
        const value = this.#decode(bytes, start, end, flags);
        this.#takeCall(id).onResult(value, aux);
        return;
      }
      case Kind.CHUNK: {
        const value = this.#decode(bytes, start, end, flags);
        this.#getStream(id).onChunk(value);
        return;
      }
      case Kind.END:
        this.#getStream(id);
        this.#takeCall(id).onEnd(aux);
        return;
      case Kind.ERROR: {
        const body = parseErrorBody(this.#decode(bytes, start, end, flags));
        const call = this.#takeCall(id);
        call.onFailure(toCallerError(body, call.command, this.#name), aux);
        return;
      }
      case Kind.PROGRESS:
        this.#getCall(id).onProgress(this.#decode(bytes, start, end, flags));
        return;
      case Kind.LOG:
        this.#owner?.onLog(parseLogBody(this.#decode(bytes, start, end, flags)), this.#pending.get(id), id);
        return;
      case Kind.EVENT: {
        const event = parseEventBody(this.#decode(bytes, start, end, flags));
        if (event === undefined) throw new ProtocolViolation('an event has no name');
        this.#owner?.onEvent(event.name, event.data, this.#pending.get(id));
        return;
      }
      case Kind.PING:
        this.#out.frame(Kind.PONG, 0, 0, id);
        this.#flushSoon();
        return;
      case Kind.PONG:
        return;
      case Kind.HOST_CALL: {
        const body = parseHostCallBody(this.#decode(bytes, start, end, flags));
        if (body === undefined) throw new ProtocolViolation('a host call has no method');
        this.#answerHostCall(id, body);
        return;
      }
      default:
        throw new ProtocolViolation(`frame of kind 0x${kind.toString(16)} is unknown or goes the wrong way`);
    }
  }

  #decode(bytes: Buffer, start: number, end: number, flags: number): unknown {
    const value = this.#codec.decode(bytes, start, end, flags);
    if (this.#arena !== undefined) this.#fetched(this.#arena);
    return value;
  }

  #fetched(arena: Arena): void {
    this.#traffic.receivedBytes += arena.fetchedBytes;
    this.#release(arena.takeFetched());
  }

  /** Tells the worker that these slices of its are read. */
  #release(offsets: readonly number[]): void {
    if (offsets.length === 0) return;
    const out = this.#out;
    const start = out.beginFrame();
    for (const offset of offsets) out.writeUInt64(offset);
    out.endFrame(start, Kind.RELEASE, 0, 0, 0);
    this.#flushSoon();
  }

  #lease(id: CallId): void {
    if (this.#arena === undefined) return;
    this.#traffic.sentBytes += this.#arena.placedBytes;
    const placed = this.#arena.takePlaced();
    if (placed.length > 0) this.#leases.set(id, placed);
  }

  #takeCall(id: CallId): ChannelCall {
    const call = this.#pending.take(id) ?? unknownId(id);
    if (this.#leases.size > 0) this.#endLease(id);
    return call;
  }

  #endLease(id: CallId): void {
    const slices = this.#leases.get(id);
    if (slices === undefined) return;
    this.#leases.delete(id);
    this.#arena?.free(slices);
  }

  #getCall(id: CallId): ChannelCall {
    return this.#pending.get(id) ?? unknownId(id);
  }

  #getStream(id: CallId): ChannelCall {
    const call = this.#getCall(id);
    if (call.kind !== 'stream')
      throw new ProtocolViolation(`call ${id} ('${call.command}') is not a stream but got a chunk or an end`);
    return call;
  }

  #answerHostCall(id: number, { method, args, call, trace }: HostCallBody): void {
    const owner = this.#owner;
    if (owner === undefined) return;
    // Without `await`: while tools run promises are tracked, which makes each of them dear.
    owner.onHostCall({ method, args, call: this.#pending.get(call ?? 0), trace }).then(
      (result) => this.#sendHostResult(id, result),
      (error: unknown) => this.#sendHostError(id, error),
    );
  }

  #sendHostResult(id: number, result: unknown): void {
    try {
      this.#sendValue(Kind.HOST_RESULT, id, result);
    } catch (error) {
      this.#sendHostError(id, error);
    }
  }

  #sendHostError(id: number, error: unknown): void {
    const body = toErrorBody(error);
    try {
      this.#sendValue(Kind.HOST_ERROR, id, body);
    } catch (unsendable) {
      this.#sendValue(Kind.HOST_ERROR, id, withoutData(body, unsendable));
    }
  }

  #sendValue(kind: Kind, id: number, value: unknown): void {
    if (this.#owner === undefined) return;
    const start = this.#out.beginFrame();
    this.#out.binary = this.#binaryInFrames;
    try {
      const flags = this.#codec.encode(value, this.#out, 'value', RESULT_ENVELOPE_DEPTH);
      const bytes = this.#out.endFrame(start, kind, flags, 0, id);
      if (bytes > this.#maxFrameBytes) throw new BinaryTooLarge(bytes, this.#maxFrameBytes);
    } catch (error) {
      this.#out.rollback(start);
      throw error;
    }
    this.#flushSoon();
  }

  #tooLarge({ command }: ChannelCall, bytes: number): SnakepitError {
    return argumentsTooLarge(command, this.#name.pool, bytes, this.#maxFrameBytes);
  }

  /** At the end of the turn, behind the callers that an arriving chunk of answers lets go on: what they send leaves in one write. */
  #flushSoon(): void {
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushIsDue = false;
    if (this.#owner === undefined || this.#out.position === 0) return;
    this.#unwrittenCount = 0;
    const bytes = this.#out.take();
    this.#traffic.sentBytes += bytes.length;
    const hasRoom = this.#socket.write(bytes, () => this.#out.recycle(bytes));
    if (hasRoom || this.#congested) return;
    this.#congested = true;
    this.#owner.onRoom(false);
  };

  readonly #onDrain = (): void => {
    this.#congested = false;
    this.#owner?.onRoom(true);
  };

  readonly #onData = (chunk: Buffer): void => {
    this.#traffic.receivedBytes += chunk.length;
    this.lastHeardAt = this.#clock.now();
    try {
      this.#reader.push(chunk, this);
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.#fail({ kind: 'protocol-error', reason: error.message });
    }
  };

  readonly #onClosed = (): void => this.#fail({ kind: 'closed' });

  #fail(failure: ChannelFailure): void {
    const owner = this.#owner;
    if (owner === undefined) return;
    this.#owner = undefined;
    this.#socket.off('data', this.#onData);
    owner.onFailed(failure);
  }
}

function unknownId(id: CallId): never {
  throw new ProtocolViolation(`an answer for call ${id}, which is not in flight`);
}
