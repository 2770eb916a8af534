import {
  BinaryTooLarge,
  ByteWriter,
  EncodeError,
  Flag,
  parseEventBody,
  parseLogBody,
  ProtocolViolation,
  type BinaryForm,
  type Codec,
  type ErrorBody,
} from '../codec/index.js';
import {
  CallRequestWriter,
  CancelReason,
  decodeWorkerBatch,
  type BodyInit,
  type FailureInit,
  type CallMetaInit,
  type HostCall as HostCallMessage,
  type HostMessageInit,
  type WorkerMessage,
} from '../codec/grpc/index.js';
import type { Clock } from '../core/index.js';
import type {
  CallId,
  CallMeta,
  Channel,
  ChannelCall,
  ChannelFailure,
  ChannelOwner,
  WorkerManifest,
} from './channel.js';
import { GrpcStream, GrpcUnary, type GrpcCall, type GrpcCallOwner } from './grpc-call.js';
import { ENVELOPE_BYTES, type GrpcConnection } from './grpc-connection.js';
import { decodeBody, describeStatus, Status } from './grpc-failure.js';
import type { GrpcListener, GrpcRpc, GrpcStatus } from './grpc-library.js';
import { GrpcOutbox } from './grpc-outbox.js';
import { argumentsTooLarge, refusedArguments, unknownCommand } from './refused-call.js';
import { toErrorBody, withoutData, type ChannelName } from './remote-failure.js';

/** What answers a host call is a map around the stored value. */
const RESULT_ENVELOPE_DEPTH = 1;
/** So much of requests may wait to be written before the worker gets no more calls. */
const MAX_BACKLOG_BYTES = 256 * 1024;
const MAX_ID = 0xffff_ffff;
/** Some 24.8 days: what a 32-bit timer holds. Servers of grpc-js take a longer `grpc-timeout` for one that has passed. */
const MAX_RPC_TIMEOUT_MS = 2 ** 31 - 1;

export interface GrpcChannelParts {
  readonly connection: GrpcConnection;
  /** The control stream, behind its hellos. */
  readonly control: GrpcRpc;
  /** What the worker's hello gave. */
  readonly attachment: number;
  readonly codec: Codec;
  readonly keepsTypes: boolean;
  readonly manifest: WorkerManifest;
  readonly name: ChannelName;
  readonly maxFrameBytes: number;
  /** Whether the worker leaves when it is told to; one that somebody else has started does not. */
  readonly isOwn: boolean;
  readonly clock: Clock;
  readonly owner: ChannelOwner;
}

/**
 * Protocol v2 over gRPC: an RPC for each call, and the control stream for everything else.
 *
 * What one turn of the event loop sends starts at its end, so that calls which the pool takes back before certainly never left.
 */
export class GrpcChannel implements Channel, GrpcCallOwner, GrpcListener {
  readonly manifest: WorkerManifest;
  readonly maxInFlight = Infinity;
  /** Both ends spend some hundred microseconds on an RPC, and are busy only with several at once. */
  readonly pipelineBudgetUs = 1_000;
  readonly codec: Codec;
  readonly name: ChannelName;
  lastHeardAt: number;

  readonly #parts: GrpcChannelParts;
  readonly #clock: Clock;
  readonly #outbox: GrpcOutbox;
  readonly #requests = new CallRequestWriter(new ByteWriter());
  readonly #values = new ByteWriter();
  readonly #commandIndexes: ReadonlyMap<string, number>;
  readonly #calls = new Map<CallId, GrpcCall>();
  /** Their RPCs start at the end of this turn. */
  #unsent: GrpcCall[] = [];
  #flushIsDue = false;
  #backlogBytes = 0;
  #isCongested = false;
  /** Undefined once the channel has failed or was abandoned. */
  #owner: ChannelOwner | undefined;
  #nextId = 1;
  #nextPing = 1;

  constructor(parts: GrpcChannelParts) {
    this.#parts = parts;
    this.#clock = parts.clock;
    this.#owner = parts.owner;
    this.#outbox = new GrpcOutbox(parts.control);
    this.codec = parts.codec;
    this.name = parts.name;
    this.manifest = parts.manifest;
    this.lastHeardAt = parts.clock.now();
    this.#commandIndexes = new Map((parts.manifest.commands ?? []).map((command, index) => [command.name, index]));
    const binary: BinaryForm = { keepsTypes: parts.keepsTypes, maxBytes: parts.maxFrameBytes, store: undefined };
    this.#requests.out.binary = binary;
    this.#values.binary = binary;
  }

  get inFlight(): number {
    return this.#calls.size;
  }

  callsInFlight(): readonly ChannelCall[] {
    return [...this.#calls.values()].map(({ call }) => call);
  }

  send(call: ChannelCall): CallId {
    const command = this.#commandIndexes.get(call.command);
    if (command === undefined) throw unknownCommand(call.command, this.name.pool, this.#commandIndexes.keys());
    const id = this.#nextId;
    const request = this.#encodeRequest(call, command, id);
    this.#parts.owner.traffic.sentBytes += request.length;
    this.#nextId = id === MAX_ID ? 1 : id + 1;
    const entry =
      call.kind === 'stream' ? new GrpcStream(id, call, request, this) : new GrpcUnary(id, call, request, this);
    this.#calls.set(id, entry);
    this.#unsent.push(entry);
    this.#flushSoon();
    return id;
  }

  cancel(id: CallId, reason: 'caller' | 'deadline'): boolean {
    const call = this.#calls.get(id);
    if (call !== undefined) this.#stop(call, reason);
    return true;
  }

  grant(id: CallId, chunks: number): void {
    if (this.#calls.has(id)) this.#say({ credit: { call: id, chunks } });
  }

  ping(): boolean {
    this.#say({ ping: { id: this.#nextPing } });
    this.#nextPing = this.#nextPing === MAX_ID ? 1 : this.#nextPing + 1;
    return true;
  }

  sessionClosed(session: string): void {
    this.#say({ sessionClosed: { session } });
  }

  shutdown(): void {
    if (this.#parts.isOwn) return this.#say({ shutdown: {} });
    this.#outbox.close();
    this.#flushSoon();
  }

  abandon(): Array<{ readonly call: ChannelCall; readonly wasWritten: boolean }> {
    this.#owner = undefined;
    const calls = [...this.#calls.values()];
    for (const call of calls) call.abandon();
    this.#calls.clear();
    this.#unsent = [];
    this.#parts.control.cancelWithStatus(Status.CANCELLED, 'the host has left');
    this.#parts.connection.close();
    return calls.map(({ call, isSent }) => ({ call, wasWritten: isSent }));
  }

  // ---- the control stream ------------------------------------------------------------------------------------------

  onReceiveMetadata(): void {}

  onReceiveMessage(bytes: Buffer): void {
    if (this.#owner === undefined) return;
    this.onHeard(bytes.length);
    try {
      for (const message of decodeWorkerBatch(bytes).messages) this.onWorkerMessage(message);
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      return this.onViolation(error.message);
    }
    this.#parts.control.startRead();
  }

  onReceiveStatus(status: GrpcStatus): void {
    // It has announced a larger message than was agreed on; nothing was reserved for that.
    if (status.code === Status.RESOURCE_EXHAUSTED) return this.onViolation(describeStatus(status));
    // A worker that leaves of its own accord ends the control stream well.
    this.#fail({ kind: 'closed', ...(status.code !== Status.OK && { reason: describeStatus(status) }) });
  }

  /** @throws ProtocolViolation */
  onWorkerMessage(message: WorkerMessage): void {
    const { hello, progress, log, event, hostCall, ping, released, failure } = message;
    if (hello !== undefined) throw new ProtocolViolation('it says hello a second time');
    if (progress !== undefined) {
      const call = this.#calls.get(progress.call);
      call?.call.onProgress(progress.value === undefined ? null : decodeBody(progress.value, this.codec));
      call?.onNotice();
    } else if (log !== undefined) {
      const { level, message: text, logger, fields } = log;
      const known = { level, message: text, ...(logger !== '' && { logger }) };
      const call = this.#calls.get(log.call);
      const body = parseLogBody({ ...known, ...(fields && { fields: decodeBody(fields, this.codec) }) });
      this.#owner?.onLog(body, call?.call, log.call);
      call?.onNotice();
    } else if (event !== undefined) {
      const data = event.data === undefined ? null : decodeBody(event.data, this.codec);
      const body = parseEventBody({ name: event.name, data });
      if (body === undefined || body.name === '') throw new ProtocolViolation('an event has no name');
      const call = this.#calls.get(event.call);
      this.#owner?.onEvent(body.name, body.data, call?.call);
      call?.onNotice();
    } else if (failure?.failure !== undefined) {
      const call = this.#calls.get(failure.call);
      call?.onWholeFailure(failure.failure);
      call?.onNotice();
    } else if (released !== undefined) {
      this.#calls.get(released.call)?.onReleased(released.serviceUs);
    } else if (hostCall !== undefined) {
      if (hostCall.method === '') throw new ProtocolViolation('a host call has no method');
      void this.#answerHostCall(hostCall);
    } else if (ping !== undefined) {
      this.#say({ pong: { id: ping.id } });
    }
  }

  async #answerHostCall({ id, call, method, args, traceparent, tracestate }: HostCallMessage): Promise<void> {
    try {
      const value = args === undefined ? null : decodeBody(args, this.codec);
      const trace = traceparent === '' ? undefined : { traceparent, ...(tracestate !== '' && { tracestate }) };
      const result = await this.#owner?.onHostCall({ method, args: value, call: this.#calls.get(call)?.call, trace });
      this.#say({ hostReply: { id, result: this.#encodeValue(result) } });
    } catch (error) {
      this.#say({ hostReply: { id, failure: this.#failureOf(toErrorBody(error)) } });
    }
  }

  #failureOf({ data, ...body }: ErrorBody): FailureInit {
    if (data === undefined) return body;
    try {
      return { ...body, data: this.#encodeValue(data) };
    } catch (unsendable) {
      return withoutData(body, unsendable);
    }
  }

  // ---- what calls tell ---------------------------------------------------------------------------------------------

  onHeard(bytes = 0): void {
    this.#parts.owner.traffic.receivedBytes += bytes;
    this.lastHeardAt = this.#clock.now();
  }

  onOver({ id }: GrpcCall): void {
    this.#calls.delete(id);
  }

  onUnanswered(call: GrpcCall, reason: 'caller' | 'deadline'): void {
    this.#stop(call, reason);
  }

  onViolation(reason: string): void {
    this.#fail({ kind: 'protocol-error', reason });
  }

  onBacklog(bytes: number): void {
    this.#backlogBytes += bytes;
    const isCongested = this.#backlogBytes > MAX_BACKLOG_BYTES;
    if (isCongested === this.#isCongested) return;
    this.#isCongested = isCongested;
    this.#owner?.onRoom(!isCongested);
  }

  // ---- sending -----------------------------------------------------------------------------------------------------

  #encodeRequest(call: ChannelCall, command: number, id: CallId): Buffer {
    const { attachment, maxFrameBytes } = this.#parts;
    const requests = this.#requests;
    requests.begin();
    try {
      const flags = this.codec.encode(call.args, requests.out, 'args');
      if (requests.bodyBytes > maxFrameBytes) throw new BinaryTooLarge(requests.bodyBytes, maxFrameBytes);
      const meta = call.meta && toMetaMessage(call.meta);
      const request = requests.finish({ attachment, id, command, tagged: (flags & Flag.TAGGED) !== 0, meta });
      if (request.length > maxFrameBytes + ENVELOPE_BYTES) throw new BinaryTooLarge(request.length, maxFrameBytes);
      return request;
    } catch (error) {
      if (error instanceof EncodeError) throw refusedArguments(call.command, this.name.pool, error);
      if (!(error instanceof BinaryTooLarge)) throw error;
      throw argumentsTooLarge(call.command, this.name.pool, error.bytes, maxFrameBytes);
    }
  }

  #encodeValue(value: unknown): BodyInit {
    const out = this.#values;
    out.rollback(0);
    const flags = this.codec.encode(value, out, 'value', RESULT_ENVELOPE_DEPTH);
    const bytes = out.position;
    if (bytes > this.#parts.maxFrameBytes) throw new BinaryTooLarge(bytes, this.#parts.maxFrameBytes);
    return { data: out.take(), tagged: (flags & Flag.TAGGED) !== 0 };
  }

  #stop(call: GrpcCall, reason: 'caller' | 'deadline'): void {
    if (call.isStopping) return;
    call.isStopping = true;
    const code = reason === 'caller' ? CancelReason.CALLER : CancelReason.DEADLINE;
    this.#say({ cancel: { call: call.id, reason: code } });
  }

  #say(message: HostMessageInit): void {
    if (this.#owner === undefined) return;
    this.#outbox.push(message);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushIsDue = false;
    if (this.#owner === undefined) return;
    const { connection } = this.#parts;
    // The attachment ends with its connection; a new one of grpc-js must not get calls that name the old.
    if (!connection.isReady) return this.#fail({ kind: 'closed', reason: 'the connection is lost' });
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const call of unsent) call.start(connection, this.#rpcDeadline(call.call));
    this.#outbox.flush();
  };

  /** In milliseconds since the Unix epoch, as gRPC has it; Infinity where only the pool is to watch over it. */
  #rpcDeadline({ deadline }: ChannelCall): number {
    if (deadline === Infinity) return Infinity;
    const leftMs = deadline - this.#clock.now();
    return leftMs > MAX_RPC_TIMEOUT_MS ? Infinity : this.#clock.wallTime() + leftMs;
  }

  #fail(failure: ChannelFailure): void {
    const owner = this.#owner;
    if (owner === undefined) return;
    this.#owner = undefined;
    // No answer can come any more; a worker that is leaving must not wait for RPCs that nobody listens to.
    for (const call of this.#calls.values()) call.abandon();
    owner.onFailed(failure);
  }
}

function toMetaMessage({ session, trace, context, batch }: CallMeta): CallMetaInit {
  return {
    session,
    traceparent: trace?.traceparent,
    tracestate: trace?.tracestate,
    ...(context && { context: new Map(Object.entries(context)) }),
    ...(batch && { batch }),
  };
}
