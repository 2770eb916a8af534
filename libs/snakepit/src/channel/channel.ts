import type { BatchManifest, LogBody } from '../codec/index.js';
import type { SnakepitError } from '../core/index.js';
import type { Traffic } from './traffic.js';

/** Chunks that a stream may send before its first grant, unless something else is said. */
export const STREAM_CREDIT = 64;

export type CallKind = 'call' | 'stream';

/** W3C trace context, https://www.w3.org/TR/trace-context/. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** What travels with a call besides its arguments. */
export interface CallMeta {
  readonly session?: string;
  readonly trace?: TraceContext;
  readonly context?: Readonly<Record<string, string>>;
  /** The arguments are a list of those of several calls; only for workers that take batches. */
  readonly batch?: true;
}

/** Bytes that a worker reads while it runs a call. */
export interface InputStream {
  /**
   * The next bytes, `maxBytes` at most, or null at the end.
   *
   * @throws SnakepitError where the call is over, or somebody else is reading; what the source of the bytes failed with
   */
  read(maxBytes: number): Promise<Uint8Array | null>;
}

/**
 * A call as the channel sees it: what to send and whom to tell.
 *
 * Exactly one of `onResult`, `onEnd` and `onFailure` is called, once, when the worker is through with the call: also
 * for a call that its caller has long given up, since only then the worker's hands are free again.
 */
export interface ChannelCall {
  readonly command: string;
  readonly args: unknown;
  readonly kind: CallKind;
  readonly meta: CallMeta | undefined;
  /** What its worker may read by host calls; undefined for most calls. */
  readonly input?: InputStream | undefined;
  /** On the clock's `now()` scale; Infinity when the call has no deadline. */
  readonly deadline: number;
  /** The caller's, if it gave one. */
  readonly signal?: AbortSignal | undefined;
  /** `serviceUs` is how long the command ran in the worker, in microseconds; v2 on a descriptor says 65535 for that or more. */
  onResult(value: unknown, serviceUs: number): void;
  onChunk(value: unknown): void;
  onEnd(serviceUs: number): void;
  onProgress(value: unknown): void;
  onFailure(error: SnakepitError, serviceUs: number): void;
}

export interface CommandManifest {
  readonly name: string;
  readonly kind: CallKind;
  readonly doc?: string;
  readonly schema?: Readonly<Record<string, unknown>>;
  /** The worker would have its calls batched. */
  readonly batch?: BatchManifest;
  /** False where a call of it keeps the worker from running others; absent means that it does not. */
  readonly concurrent?: boolean;
}

/** What a worker said of itself at the handshake; v1 workers say only their codec. */
export interface WorkerManifest {
  readonly protocol: 'v1' | 'v2';
  /** `grpc` where v2 goes over gRPC; else the process's own descriptors. */
  readonly transport?: 'grpc';
  readonly codec: 'json' | 'msgpack';
  readonly language?: string;
  readonly runtime?: { readonly name: string; readonly version: string };
  readonly sdk?: { readonly name: string; readonly version: string };
  /** Undefined where the protocol has no manifest: then any command may be sent. */
  readonly commands?: readonly CommandManifest[];
  /** Whether it answers heartbeats while a command runs. */
  readonly answersWhileBusy: boolean;
  /** Whether it takes calls whose meta says `batch`; absent means no. */
  readonly takesBatches?: boolean;
  /** Upon this signal it writes the stacks of its threads to stderr, whatever it is doing. */
  readonly stackSignal?: 'SIGUSR1';
}

/** Identifies a call within its channel. */
export type CallId = number;

export interface HostCall {
  readonly method: string;
  readonly args: unknown;
  /** The running call on whose behalf the worker asks; undefined when that call is unknown. */
  readonly call: ChannelCall | undefined;
  /** The span in the worker that asks; undefined where the call is not sampled. */
  readonly trace?: TraceContext | undefined;
}

/** Why a channel can no longer be used. */
export type ChannelFailure =
  /** `reason`, where the connection broke off and tells why. */
  { readonly kind: 'closed'; readonly reason?: string } | { readonly kind: 'protocol-error'; readonly reason: string };

/** What a channel tells its owner, the worker. */
export interface ChannelOwner {
  /** Where the channel counts what it writes and reads. */
  readonly traffic: Traffic;
  /** `call` and its `id` where the record names one that is in flight. */
  onLog(record: LogBody, call?: ChannelCall, id?: CallId): void;
  /** `call` is the running call whose command sent it, where there is one. */
  onEvent(name: string, data: unknown, call: ChannelCall | undefined): void;
  /** Answers a host call; a rejection goes back to the worker as an error. */
  onHostCall(call: HostCall): Promise<unknown>;
  /** The worker reads slower than the host writes (false), or has caught up (true). */
  onRoom(hasRoom: boolean): void;
  /** Called once; calls in flight stay pending until {@link Channel.abandon}. */
  onFailed(failure: ChannelFailure): void;
}

/** One connection to one worker process; the codec and the framing are its own affair. */
export interface Channel {
  readonly manifest: WorkerManifest;
  /** How many calls the protocol lets be in flight at once. */
  readonly maxInFlight: number;
  /**
   * How much estimated work, in microseconds, may lie before a call in its worker unless the pool's options say: to wait so long costs
   * little beside the trip itself.
   */
  readonly pipelineBudgetUs: number;
  /** Calls sent and not yet answered. */
  readonly inFlight: number;
  /** Those calls, as they are at this moment. */
  callsInFlight(): readonly ChannelCall[];
  /** When the last bytes arrived, on the clock's `now()` scale. */
  readonly lastHeardAt: number;

  /**
   * Encodes the call and queues it for the write at the end of this turn.
   *
   * @param nowMs the present, on the clock's `now()` scale: who sends many calls reads the clock once
   * @throws SnakepitError INVALID_ARGUMENTS, FRAME_TOO_LARGE, UNKNOWN_COMMAND or UNSUPPORTED; nothing was sent then.
   */
  send(call: ChannelCall, nowMs: number): CallId;
  /** Asks the worker to stop a call; false where the protocol cannot. */
  cancel(id: CallId, reason: 'caller' | 'deadline'): boolean;
  /** Lets a stream send `chunks` more. */
  grant(id: CallId, chunks: number): void;
  /** Sends a heartbeat; false when the protocol cannot at this moment. */
  ping(): boolean;
  sessionClosed(sessionId: string): void;
  /** Asks the worker to finish its calls and exit. */
  shutdown(): void;
  /**
   * Ends the connection and hands back every pending call, each with whether it was written. The channel tells those calls
   * nothing: their owner does.
   */
  abandon(): Array<{ readonly call: ChannelCall; readonly wasWritten: boolean }>;
}
