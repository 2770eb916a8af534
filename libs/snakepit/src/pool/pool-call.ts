import type { CallId, CallKind, CallMeta, ChannelCall } from '../channel/index.js';
import { unwatchAbort, watchAbort, type Delivery, SnakepitError, type Expiring } from '../core/index.js';
import type { Worker } from '../worker/index.js';
import type { CallOptions } from './call-options.js';
import type { CommandProfile } from './command-profile.js';
import type { Lane } from './scheduler.js';
import type { Priority, Waiting, WaitQueue } from './wait-queue.js';

/** Who hears the outcome of a call; of `onEnd`, `onValue` and `onError` exactly one is called, once. */
export interface CallListener {
  onValue(value: unknown): void;
  onChunk(value: unknown): void;
  onEnd(): void;
  onError(error: SnakepitError): void;
}

/** What the pool does for its calls. */
export interface PoolCallOwner {
  /** The worker is through with the call; `hasFailed` when it answered with an error. */
  onReleased(call: PoolCall, serviceUs: number, hasFailed: boolean): void;
  /** The caller has its outcome; `error` is undefined when the call succeeded. */
  onSettled(call: PoolCall, error: SnakepitError | undefined): void;
  onCallExpired(call: PoolCall, nowMs: number): void;
  onCallAborted(call: PoolCall, reason: unknown): void;
  /** The caller's `onProgress` threw. */
  onListenerFailed(call: PoolCall, thrown: unknown): void;
  /** Rewrites a result by the adapter; throws the error the caller gets. */
  toResult(call: PoolCall, value: unknown): unknown;
}

export interface PoolCallParts {
  readonly owner: PoolCallOwner;
  readonly command: string;
  readonly args: unknown;
  readonly kind: CallKind;
  readonly options: CallOptions;
  readonly profile: CommandProfile;
  readonly admittedAt: number;
  readonly timeoutMs: number;
  readonly listener: CallListener;
}

/** Where a running call is. */
export interface Placement {
  readonly worker: Worker;
  readonly lane: Lane;
  readonly id: CallId;
  readonly bookedUs: number;
}

/**
 * One call from admission to outcome.
 *
 * Two endings are kept apart. *Settled*: the caller has its outcome. *Released*: no worker holds the call any more. A call that
 * timed out or was cancelled is settled at once and released only when its worker answers, so that a busy worker never
 * counts as free.
 */
export class PoolCall implements ChannelCall, Expiring, Waiting {
  readonly command: string;
  readonly args: unknown;
  readonly kind: CallKind;
  readonly meta: CallMeta | undefined;
  readonly deadline: number;
  readonly priority: Priority;
  readonly profile: CommandProfile;
  readonly admittedAt: number;
  readonly timeoutMs: number;
  readonly session: string | undefined;
  readonly isIdempotent: boolean;

  /** When a worker got it; undefined while it has always waited. */
  startedAt: number | undefined;
  /** The worker that got it last. */
  workerId: string | undefined;
  placement: Placement | undefined;
  attempts = 0;
  /** Chunks that have reached the consumer; a stream that has begun is not begun again. */
  chunks = 0;
  isSettled = false;
  /** Its deadline has passed while a worker held it; the worker has been asked to stop. */
  isOverdue = false;

  expiresAt: number;
  sweepIndex = -1;
  queue: WaitQueue<Waiting> | undefined = undefined;
  before: Waiting | undefined = undefined;
  after: Waiting | undefined = undefined;

  readonly #owner: PoolCallOwner;
  readonly #listener: CallListener;
  readonly #signal: AbortSignal | undefined;
  readonly #onProgress: ((value: unknown) => void) | undefined;
  readonly #onAbort: ((reason: unknown) => void) | undefined;

  constructor(parts: PoolCallParts) {
    const { options, admittedAt, timeoutMs } = parts;
    this.#owner = parts.owner;
    this.#listener = parts.listener;
    this.command = parts.command;
    this.args = parts.args;
    this.kind = parts.kind;
    this.profile = parts.profile;
    this.admittedAt = admittedAt;
    this.timeoutMs = timeoutMs;
    this.deadline = admittedAt + timeoutMs;
    this.expiresAt = this.deadline;
    this.priority = options.priority ?? 'normal';
    this.session = options.session;
    this.isIdempotent = options.idempotent ?? false;
    this.meta = metaOf(options);
    this.#onProgress = options.onProgress;
    this.#signal = options.signal;
    if (options.signal !== undefined) {
      this.#onAbort = (reason) => this.#owner.onCallAborted(this, reason);
      watchAbort(options.signal, this.#onAbort);
    }
  }

  onResult(value: unknown, serviceUs: number): void {
    this.#owner.onReleased(this, serviceUs, false);
    if (this.isSettled) return;
    let result: unknown;
    try {
      result = this.#owner.toResult(this, value);
    } catch (error) {
      return this.fail(error as SnakepitError);
    }
    this.#settle(undefined);
    this.#listener.onValue(result);
  }

  onEnd(serviceUs: number): void {
    this.#owner.onReleased(this, serviceUs, false);
    if (this.isSettled) return;
    this.#settle(undefined);
    this.#listener.onEnd();
  }

  onChunk(value: unknown): void {
    if (this.isSettled) return;
    this.chunks += 1;
    let item: unknown;
    try {
      item = this.#owner.toResult(this, value);
    } catch (error) {
      this.stop('caller');
      return this.fail(error as SnakepitError);
    }
    this.#listener.onChunk(item);
  }

  onProgress(value: unknown): void {
    if (this.isSettled || this.#onProgress === undefined) return;
    try {
      this.#onProgress(value);
    } catch (error) {
      this.#owner.onListenerFailed(this, error);
    }
  }

  onFailure(error: SnakepitError, serviceUs: number): void {
    this.#owner.onReleased(this, serviceUs, true);
    this.fail(error.code === 'CALL_TIMEOUT' ? this.#timedOut(error) : error);
  }

  /** A worker that ended the call at its deadline before the host noticed does not know what the host knows of the call. */
  #timedOut({ details, delivery, remote }: SnakepitError): SnakepitError {
    const waitedMs = Math.round((this.startedAt ?? this.admittedAt) - this.admittedAt);
    const known = { ...details, timeoutMs: this.timeoutMs, waitedMs };
    return new SnakepitError('CALL_TIMEOUT', known, { delivery, ...(remote && { remote }) });
  }

  onExpired(nowMs: number): void {
    this.#owner.onCallExpired(this, nowMs);
  }

  /** Gives the caller its error; without effect on a call that is settled. */
  fail(error: SnakepitError): void {
    if (this.isSettled) return;
    this.#settle(error);
    this.#listener.onError(error);
  }

  /** Asks the worker to stop; whether it can and does shows in its answer. */
  stop(reason: 'caller' | 'deadline'): void {
    this.placement?.worker.channel?.cancel(this.placement.id, reason);
  }

  /** Lets a stream send more. */
  grant(chunks: number): void {
    if (!this.isSettled) this.placement?.worker.channel?.grant(this.placement.id, chunks);
  }

  /** What is certain of a call that waits: it did not start, unless it waits for its next attempt. */
  get deliverySoFar(): Delivery {
    return this.attempts === 0 ? 'not-started' : 'may-have-run';
  }

  #settle(error: SnakepitError | undefined): void {
    this.isSettled = true;
    if (this.#signal !== undefined && this.#onAbort !== undefined) unwatchAbort(this.#signal, this.#onAbort);
    this.#owner.onSettled(this, error);
  }
}

function metaOf(options: CallOptions): CallMeta | undefined {
  const { session, trace, context } = options;
  if (session === undefined && trace === undefined && context === undefined) return undefined;
  return {
    ...(session !== undefined && { session }),
    ...(trace !== undefined && { trace }),
    ...(context !== undefined && { context }),
  };
}
