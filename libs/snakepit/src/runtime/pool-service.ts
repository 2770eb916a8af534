import type { Readable } from 'node:stream';

import type { Observable } from 'rxjs';

import type { CommandManifest } from '../channel/index.js';
import { SnakepitError } from '../core/index.js';
import {
  NO_OPTIONS,
  type BatchSettings,
  type CallOptions,
  type Pool,
  type PoolMemory,
  type PoolStats,
  type PoolStatus,
  type WorkerInfo,
  type WorkerUsage,
} from '../pool/index.js';
import { withAmbientSignal } from './ambient-signal.js';
import { ItemReadable } from './readable.js';
import { iterate, observe, type ItemIterator, type StreamRequest } from './streams.js';

/** Options of one call; `pool` names another pool than the one this service stands for. */
export interface ExecuteOptions extends CallOptions {
  readonly pool?: string | undefined;
}

/** Finds a pool by name. @throws SnakepitError POOL_NOT_FOUND */
export type PoolLookup = (name: string) => Pool;

/** What an application calls: one pool by default, any other by name. */
export class PoolService {
  constructor(
    /** The pool that is meant when a call names none. */
    readonly name: string,
    private readonly lookup: PoolLookup,
  ) {}

  /**
   * Runs a command in a worker and returns its result.
   *
   * @param args an object becomes named arguments, a list positional ones, nothing no arguments
   * @throws SnakepitError whose `code` says what happened, `delivery` whether the command ran, `retryable` whether to try again
   */
  execute<Result = unknown>(
    command: string,
    args: unknown = null,
    options: ExecuteOptions = NO_OPTIONS,
  ): Promise<Result> {
    // No async function: it would make a second promise of the pool's.
    try {
      return this.#pool(options).execute(command, args, withAmbientSignal(options)) as Promise<Result>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The same within a session: its calls prefer one worker, which sees the session's data. */
  async executeInSession<Result = unknown>(
    session: string,
    command: string,
    args: unknown = null,
    options: ExecuteOptions = {},
  ): Promise<Result> {
    return this.execute<Result>(command, args, { ...options, session: checkedSession(session) });
  }

  /** A stream as a cold Observable: subscribing starts the command, unsubscribing stops it in the worker. */
  stream<Item = unknown>(command: string, args: unknown = null, options: ExecuteOptions = {}): Observable<Item> {
    return observe<Item>(this.#request(command, args, options));
  }

  streamInSession<Item = unknown>(
    session: string,
    command: string,
    args: unknown = null,
    options: ExecuteOptions = {},
  ): Observable<Item> {
    return this.stream<Item>(command, args, { ...options, session: checkedSession(session) });
  }

  /**
   * A stream as an async iterable that pulls: the worker is suspended while the loop's body runs, whatever it takes, so that
   * a slow consumer costs no memory. Leaving the loop stops the command.
   */
  iterate<Item = unknown>(command: string, args: unknown = null, options: ExecuteOptions = {}): ItemIterator<Item> {
    return iterate<Item>(this.#request(command, args, options));
  }

  /**
   * A stream whose items are bytes or text as a Node stream, to be piped into a response or a file: what is not read suspends the worker, and
   * destroying it stops the command. It is destroyed with the SnakepitError of a command that fails, and with INVALID_RESULT at any other item.
   */
  readable(command: string, args: unknown = null, options: ExecuteOptions = {}): Readable {
    return new ItemReadable(this.#request(command, args, options));
  }

  stats(): PoolStats {
    return this.lookup(this.name).stats();
  }

  workers(): WorkerInfo[] {
    return this.lookup(this.name).workers();
  }

  /**
   * What the pool's processes take of the memory, read for this call; undefined where the system does not tell (anything but
   * Linux). With a zygote only `pssBytes` may be summed: much of what a worker has it shares.
   */
  memory(): Promise<PoolMemory | undefined> {
    return this.lookup(this.name).memory();
  }

  /** What each worker's process takes of memory and CPU, read for this call; empty where the system does not tell (anything but Linux). */
  usage(): Promise<WorkerUsage[]> {
    return this.lookup(this.name).usage();
  }

  /** `up`, `degraded` (some workers are missing) or `down`. */
  get status(): PoolStatus {
    return this.lookup(this.name).status;
  }

  /** Why the latest worker that could not start did not; undefined while the pool is up. */
  get lastFailure(): SnakepitError | undefined {
    return this.lookup(this.name).lastFailure;
  }

  /** Commands that the workers offer, where they tell. */
  get commands(): readonly CommandManifest[] | undefined {
    return this.lookup(this.name).commands;
  }

  /** Waits until all workers are ready. @throws SnakepitError POOL_NOT_READY after `timeoutMs` (default 30000). */
  ready(timeoutMs = 30_000): Promise<void> {
    return this.lookup(this.name).ready(timeoutMs);
  }

  /** Changes the number of workers; those that go finish their calls first. */
  resize(size: number): void {
    this.lookup(this.name).resize(size);
  }

  /** Replaces one worker, or all one by one; each replacement is ready before its predecessor leaves. */
  restart(workerId?: string): Promise<void> {
    return this.lookup(this.name).restart(workerId);
  }

  /**
   * Replaces all workers, which load their code anew, without failing a call: `recycle.maxUnavailable` at a time, each when its
   * replacement is ready. Asked while it does so, it does it all again.
   *
   * @throws SnakepitError of the first worker that does not start; those that were not yet replaced stay.
   */
  reload(): Promise<void> {
    return this.lookup(this.name).reload();
  }

  /** Takes no more calls and returns when those it has are through, or after `drainTimeoutMs`. */
  drain(): Promise<void> {
    return this.lookup(this.name).drain();
  }

  /**
   * Has the calls of a command batched, unless the pool's options say how.
   *
   * @internal
   * @param by who says so, for messages
   * @throws SnakepitError MISUSE where something else was declared before.
   */
  declareBatch(command: string, settings: BatchSettings, by: string): void {
    this.lookup(this.name).declareBatch(command, settings, by);
  }

  #pool(options: ExecuteOptions): Pool {
    return this.lookup(options.pool ?? this.name);
  }

  #request(command: string, args: unknown, options: ExecuteOptions): StreamRequest {
    return { pool: this.#pool(options), command, args, options: withAmbientSignal(options) };
  }
}

function checkedSession(session: unknown): string {
  if (typeof session === 'string' && session !== '') return session;
  throw new SnakepitError('INVALID_ARGUMENTS', {
    reason: `the session's id is ${JSON.stringify(session)}, not a non-empty string`,
  });
}
