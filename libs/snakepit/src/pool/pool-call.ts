import type { CallId, CallKind, CallMeta, ChannelCall } from '../channel/index.js';
import {
  SnakepitError,
  unwatchAbort,
  watchAbort,
  type DeadlineBucket,
  type Delivery,
  type Expiring,
} from '../core/index.js';
import type { Gathering } from './batching/gathering.js';
import type { CallInput } from './call-input.js';
import type { CallSettings } from './call-options.js';
import type { CommandProfile } from './command-profile.js';
import { mayHaveRun } from './delivery.js';
import { EXCLUSIVE, SHARED } from './scheduler.js';
import type { Seat } from './seat.js';
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
  /** The worker, which is to be killed for what another call does, has ended the call; `hasRun` unless it had not begun it. */
  onRecalled(call: PoolCall, hasRun: boolean): void;
  /** Whether the call, made inside a tool, waits for what waits for it; `seen` is what the question has passed. */
  isStuck(call: PoolCall, seen: Set<object>): boolean;
  /** The caller's `onProgress` threw. */
  onListenerFailed(call: PoolCall, thrown: unknown): void;
  /** Rewrites a result by the adapter; throws the error the caller gets. */
  toResult(call: PoolCall, value: unknown): unknown;
}

export interface PoolCallParts {
  readonly owner: PoolCallOwner;
  readonly command: string;
  readonly args: unknown;
  readonly settings: CallSettings;
  readonly profile: CommandProfile;
  readonly admittedAt: number;
  readonly timeoutMs: number;
  readonly listener: CallListener;
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
  readonly settings: CallSettings;
  readonly profile: CommandProfile;
  readonly admittedAt: number;
  readonly timeoutMs: number;

  /** When a worker got it; undefined while it has always waited. */
  startedAt: number | undefined = undefined;
  /** The worker that got it last. */
  workerId: string | undefined = undefined;
  /** Where it runs: on which worker, by which of its channel's ids, and what the scheduler booked for it. */
  seat: Seat<PoolCall> | undefined = undefined;
  channelId: CallId = 0;
  bookedUs = 0;
  /** How many workers it was written to. */
  attempts = 0;
  /** A worker it was written to is gone, and with it the knowledge of whether the command began. */
  mayHaveRun = false;
  /** The command whose hang its worker is to be killed for: the call was asked back. */
  recalledFor: string | undefined = undefined;
  /** Chunks that have reached the consumer; a stream that has begun is not begun again. */
  chunks = 0;
  isSettled = false;
  /** Its deadline has passed while a worker held it; the worker has been asked to stop. */
  isOverdue = false;
  /** What an overdue call fails with, be it answered or not: its caller waits only for the stacks of its worker. */
  overdueError: SnakepitError | undefined = undefined;

  expiresAt: number;
  /** Estimated size of its arguments, once it has waited. */
  queuedBytes = 0;
  sweepBucket: DeadlineBucket | undefined = undefined;
  sweepIndex = -1;
  queue: WaitQueue<Waiting> | undefined = undefined;
  before: Waiting | undefined = undefined;
  after: Waiting | undefined = undefined;

  readonly #owner: PoolCallOwner;
  readonly #listener: CallListener;
  readonly #onAbort: ((reason: unknown) => void) | undefined;

  constructor(parts: PoolCallParts) {
    const { settings, admittedAt, timeoutMs } = parts;
    this.#owner = parts.owner;
    this.#listener = parts.listener;
    this.command = parts.command;
    this.args = parts.args;
    this.settings = settings;
    this.profile = parts.profile;
    this.admittedAt = admittedAt;
    this.timeoutMs = timeoutMs;
    this.expiresAt = admittedAt + timeoutMs;
    this.#onAbort = settings.signal === undefined ? undefined : this.#watch(settings.signal);
    if (settings.input !== undefined) settings.input.open((failure) => this.#owner.onCallAborted(this, failure));
  }

  get kind(): CallKind {
    return this.profile.kind;
  }

  get deadline(): number {
    return this.admittedAt + this.timeoutMs;
  }

  /** Whether it had its place in the worker to itself, as slow calls have. */
  get isAlone(): boolean {
    return this.bookedUs === EXCLUSIVE || this.bookedUs === SHARED;
  }

  get priority(): Priority {
    return this.settings.priority;
  }

  get session(): string | undefined {
    return this.settings.session;
  }

  get meta(): CallMeta | undefined {
    return this.settings.meta;
  }

  /** Where it waits for others to leave with; undefined for a call of a command that is not batched, and for a batch. */
  get gathering(): Gathering | undefined {
    return undefined;
  }

  /** How many calls its worker got at once; undefined where the command is not batched, and before it got any. */
  get batchSize(): number | undefined {
    return undefined;
  }

  /** How many callers it stands for. */
  get callers(): number {
    return 1;
  }

  get input(): CallInput | undefined {
    return this.settings.input;
  }

  get signal(): AbortSignal | undefined {
    return this.settings.signal;
  }

  onResult(value: unknown, serviceUs: number): void {
    this.#owner.onReleased(this, serviceUs, false);
    if (this.#isTooLate()) return;
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
    if (this.#isTooLate()) return;
    this.#settle(undefined);
    this.#listener.onEnd();
  }

  onChunk(value: unknown): void {
    if (this.isSettled || this.isOverdue) return;
    this.chunks += 1;
    const { meter } = this.profile;
    if (meter !== undefined) meter.chunks += 1;
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
    const { onProgress } = this.settings;
    if (this.isSettled || onProgress === undefined) return;
    try {
      onProgress(value);
    } catch (error) {
      this.#owner.onListenerFailed(this, error);
    }
  }

  onFailure(error: SnakepitError, serviceUs: number): void {
    if (error.code === 'CANCELLED' && this.recalledFor !== undefined && !this.isSettled) {
      return this.#owner.onRecalled(this, error.delivery !== 'not-started');
    }
    this.#owner.onReleased(this, serviceUs, true);
    if (this.#isTooLate()) return;
    this.fail(error.code === 'CALL_TIMEOUT' ? this.#timedOut(error) : error);
  }

  /** Whether the answer is of no use any more: its caller has gone, or its deadline has. */
  #isTooLate(): boolean {
    if (this.overdueError !== undefined) this.fail(this.overdueError);
    return this.isSettled;
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
    const told = this.mayHaveRun ? mayHaveRun(error) : error;
    this.#settle(told);
    this.#listener.onError(told);
  }

  /** Its caller has left. */
  abort(reason: unknown): void {
    this.#owner.onCallAborted(this, reason);
  }

  isStuck(seen: Set<object>): boolean {
    return this.#owner.isStuck(this, seen);
  }

  /** Asks the worker to stop; whether it can and does shows in its answer. */
  stop(reason: 'caller' | 'deadline'): void {
    this.seat?.channel.cancel(this.channelId, reason);
  }

  /** Lets a stream send more. */
  grant(chunks: number): void {
    if (!this.isSettled) this.seat?.channel.grant(this.channelId, chunks);
  }

  /** What is certain of a call that waits: it did not start, unless it waits for its next attempt. */
  get deliverySoFar(): Delivery {
    return this.mayHaveRun ? 'may-have-run' : 'not-started';
  }

  #settle(error: SnakepitError | undefined): void {
    this.isSettled = true;
    if (this.#onAbort !== undefined) unwatchAbort(this.settings.signal!, this.#onAbort);
    if (this.settings.input !== undefined) this.settings.input.close();
    this.#owner.onSettled(this, error);
  }

  #watch(signal: AbortSignal): (reason: unknown) => void {
    const onAbort = (reason: unknown): void => this.abort(reason);
    watchAbort(signal, onAbort);
    return onAbort;
  }
}
