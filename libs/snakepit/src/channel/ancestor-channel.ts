import { EncodeError } from '../codec/index.js';
import { ancestor, AncestorValues } from '../codec/grpc/index.js';
import type { Clock } from '../core/index.js';
import { AncestorStream, AncestorUnary, type AncestorCall, type AncestorCallOwner } from './ancestor-call.js';
import type { CallId, Channel, ChannelCall, ChannelFailure, ChannelOwner, WorkerManifest } from './channel.js';
import type { GrpcConnection } from './grpc-connection.js';
import { describeStatus, Status } from './grpc-failure.js';
import type { GrpcRpc, GrpcStatus } from './grpc-library.js';
import { argumentsTooLarge, noInput, refusedArguments } from './refused-call.js';
import type { ChannelName } from './remote-failure.js';

const { SnakepitBridgeService: SERVICE } = ancestor;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const MAX_ID = 0xffff_ffff;

export interface AncestorChannelParts {
  readonly connection: GrpcConnection;
  readonly manifest: WorkerManifest;
  readonly values: AncestorValues;
  readonly name: ChannelName;
  readonly maxFrameBytes: number;
  /** Chunks a stream may send before its first grant. */
  readonly streamCredit: number;
  readonly clock: Clock;
  readonly owner: ChannelOwner;
}

/**
 * The ancestor's gRPC service: an RPC for each call, and nothing else but `Health`.
 *
 * What one turn of the event loop sends starts at its end, so that calls which are taken back before certainly never left.
 */
export class AncestorChannel implements Channel, AncestorCallOwner {
  readonly manifest: WorkerManifest;
  readonly maxInFlight = Infinity;
  /** Handlers were written for one call at a time; more than that is what `concurrency` asks for. */
  readonly pipelineBudgetUs = 0;
  readonly values: AncestorValues;
  readonly name: ChannelName;
  readonly clock: Clock;
  lastHeardAt: number;

  readonly #parts: AncestorChannelParts;
  readonly #calls = new Map<CallId, AncestorCall>();
  /** Their RPCs start at the end of this turn. */
  #unsent: AncestorCall[] = [];
  #isFlushDue = false;
  /** Undefined once the channel has failed or was abandoned. */
  #owner: ChannelOwner | undefined;
  #heartbeat: GrpcRpc | undefined;
  /** What the bridge says of itself; its calls may end before it goes. */
  #isUnhealthy = false;
  #nextId = 1;

  constructor(parts: AncestorChannelParts) {
    this.#parts = parts;
    this.#owner = parts.owner;
    this.manifest = parts.manifest;
    this.values = parts.values;
    this.name = parts.name;
    this.clock = parts.clock;
    this.lastHeardAt = parts.clock.now();
  }

  get inFlight(): number {
    return this.#calls.size;
  }

  callsInFlight(): readonly ChannelCall[] {
    return [...this.#calls.values()].map(({ call }) => call);
  }

  send(call: ChannelCall, nowMs: number): CallId {
    if (call.input !== undefined) throw noInput(call.command, this.name.pool, "the ancestor's gRPC service");
    const id = this.#nextId;
    const message = this.#encodeRequest(call, id, nowMs);
    this.#nextId = id === MAX_ID ? 1 : id + 1;
    const request = { path: pathOf(call), message };
    const { streamCredit } = this.#parts;
    const entry =
      call.kind === 'stream'
        ? new AncestorStream(id, call, request, this, streamCredit)
        : new AncestorUnary(id, call, request, this);
    this.#calls.set(id, entry);
    this.#unsent.push(entry);
    this.#flushSoon();
    return id;
  }

  cancel(id: CallId, reason: 'caller' | 'deadline'): boolean {
    return this.#calls.get(id)?.stop(reason) ?? true;
  }

  grant(id: CallId, chunks: number): void {
    const call = this.#calls.get(id);
    if (call instanceof AncestorStream) call.grant(chunks);
  }

  ping(): boolean {
    if (this.#owner === undefined || this.#heartbeat !== undefined) return false;
    const rpc = this.#parts.connection.start(SERVICE.health.path, Infinity, {
      onReceiveMetadata() {},
      onReceiveMessage: (message) => this.#onHealth(message),
      onReceiveStatus: (status) => this.#onHealthStatus(status),
    });
    this.#heartbeat = rpc;
    rpc.sendMessageWithContext({}, ancestor.encodeHealthRequest({ workerId: this.name.worker }));
    rpc.halfClose();
    rpc.startRead();
    return true;
  }

  sessionClosed(): void {
    // The ancestor's service tells bridges nothing of sessions.
  }

  /** There is no word for it: the bridge goes on until it gets a signal, and one that somebody else has started lives on. */
  shutdown(): void {
    process.nextTick(() => this.#fail({ kind: 'closed', reason: 'the host has left' }));
  }

  abandon(): Array<{ readonly call: ChannelCall; readonly wasWritten: boolean }> {
    this.#owner = undefined;
    const calls = [...this.#calls.values()];
    for (const call of calls) call.abandon();
    this.#calls.clear();
    this.#unsent = [];
    this.#heartbeat?.cancelWithStatus(Status.CANCELLED, 'the host has left');
    this.#parts.connection.close();
    return calls.map(({ call, isSent }) => ({ call, wasWritten: isSent }));
  }

  // ---- what calls tell ---------------------------------------------------------------------------------------------

  onHeard(bytes = 0): void {
    this.#parts.owner.traffic.receivedBytes += bytes;
    this.lastHeardAt = this.clock.now();
  }

  onSent(bytes: number): void {
    this.#parts.owner.traffic.sentBytes += bytes;
  }

  onOver({ id }: AncestorCall): void {
    this.#calls.delete(id);
    this.#leaveIfUnhealthy();
  }

  onLost(reason: string): void {
    this.#fail({ kind: 'closed', reason });
  }

  onViolation(reason: string): void {
    this.#fail({ kind: 'protocol-error', reason });
  }

  // ---- heartbeats --------------------------------------------------------------------------------------------------

  #onHealth(message: Buffer): void {
    this.onHeard();
    try {
      this.#isUnhealthy = !ancestor.decodeHealthResponse(message).healthy;
    } catch {
      this.onViolation('its answer to Health cannot be read');
    }
  }

  #onHealthStatus(status: GrpcStatus): void {
    this.#heartbeat = undefined;
    if (status.code !== Status.OK) return this.onLost(`its Health ended with ${describeStatus(status)}`);
    this.#leaveIfUnhealthy();
  }

  #leaveIfUnhealthy(): void {
    if (!this.#isUnhealthy || this.#calls.size > 0) return;
    // Whoever is told that a call is over may not find the channel gone in the middle of that.
    process.nextTick(() => {
      if (this.#calls.size === 0) this.#fail({ kind: 'closed', reason: 'it says that it is not healthy' });
    });
  }

  // ---- sending -----------------------------------------------------------------------------------------------------

  #encodeRequest(call: ChannelCall, id: CallId, nowMs: number): Buffer {
    const { command, meta } = call;
    const request = {
      command,
      args: this.#encodeArguments(call),
      timeoutMs: timeoutOf(call, nowMs),
      requestId: `${this.name.worker}-${id}`,
    };
    const sessionId = meta?.session;
    return sessionId === undefined
      ? ancestor.encodeExecuteRequest(request)
      : ancestor.encodeSessionRequest({ ...request, sessionId });
  }

  #encodeArguments({ command, args }: ChannelCall): Map<string, Uint8Array> {
    const { maxFrameBytes } = this.#parts;
    const members = this.#membersOf(command, args);
    let bytes = 0;
    for (const [name, value] of members) bytes += name.length + value.length;
    if (bytes > maxFrameBytes) throw argumentsTooLarge(command, this.name.pool, bytes, maxFrameBytes);
    return members;
  }

  #membersOf(command: string, args: unknown): Map<string, Uint8Array> {
    try {
      return this.values.encodeArguments(args);
    } catch (error) {
      if (error instanceof EncodeError) throw refusedArguments(command, this.name.pool, error);
      throw error;
    }
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isFlushDue = false;
    if (this.#owner === undefined) return;
    const { connection } = this.#parts;
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const call of unsent) if (call.isTakenBack) call.giveBack();
    // grpc-js would connect anew, perhaps to the bridge of another; what is unsent certainly did not start.
    if (!connection.isReady) return this.#fail({ kind: 'closed', reason: 'the connection is lost' });
    for (const call of unsent) if (!call.isTakenBack) call.start(connection);
  };

  #fail(failure: ChannelFailure): void {
    const owner = this.#owner;
    if (owner === undefined) return;
    this.#owner = undefined;
    for (const call of this.#calls.values()) call.abandon();
    owner.onFailed(failure);
  }
}

function pathOf({ kind, meta }: ChannelCall): string {
  const isInSession = meta?.session !== undefined;
  if (kind === 'stream') return (isInSession ? SERVICE.executeInSessionStream : SERVICE.executeStream).path;
  return (isInSession ? SERVICE.executeInSession : SERVICE.execute).path;
}

/** 0 means that there is no end. */
function timeoutOf({ deadline }: ChannelCall, nowMs: number): number {
  if (deadline === Infinity) return 0;
  return Math.min(Math.max(1, Math.round(deadline - nowMs)), MAX_TIMEOUT_MS);
}
