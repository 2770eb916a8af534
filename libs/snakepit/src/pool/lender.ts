import type { Clock, LogSink, Timer } from '../core/index.js';
import type { Worker } from '../worker/index.js';
import { LendingPolicy } from './lending-policy.js';
import type { ResolvedPoolOptions } from './options.js';
import type { PoolCall } from './pool-call.js';

/** How often is looked after nested calls that wait: what they wait for may change without a word. */
const LOOK_MS = 50;

/** What a lender sees of its pool, and does to it. */
export interface LenderParts {
  readonly pool: string;
  readonly options: Pick<ResolvedPoolOptions, 'nested'>;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly soon: (task: () => void) => void;
  /** Nested calls that wait; `forAny` of them may go to whichever worker. */
  readonly waiting: () => { readonly calls: readonly PoolCall[]; readonly forAny: number };
  readonly isBlocked: () => boolean;
  /** Lent workers with nothing to do, and since when. */
  readonly idleLent: () => readonly { readonly worker: Worker; readonly since: number }[];
  readonly crew: LendingCrew;
  /** Fails a nested call that would wait for ever. */
  readonly refuse: (call: PoolCall) => void;
}

/** The supervisor, as far as lending goes. */
export interface LendingCrew {
  /** Workers on their way: lent, missing or restarted ones. */
  readonly startingCount: number;
  readonly lentCount: number;
  /** Whether workers can be started here at all. */
  readonly canLend: boolean;
  lend(): void;
  takeBack(worker: Worker): void;
}

/**
 * Keeps calls that tools make from waiting for workers which wait for these tools: it lends the pool another worker, for nested calls
 * only, and takes it back when it has been idle for a while; where that cannot be, it fails the call at once.
 */
export class Lender {
  readonly #parts: LenderParts;
  readonly #policy: LendingPolicy;
  #timer: Timer | undefined;
  #isDue = false;
  #isStopped = false;

  constructor(parts: LenderParts) {
    this.#parts = parts;
    this.#policy = new LendingPolicy(parts.options.nested.maxExtraWorkers);
  }

  /** Whether another worker may be expected, lent ones apart or included. */
  mayGrow(withLent: boolean): boolean {
    const { crew, clock } = this.#parts;
    if (crew.startingCount > 0) return true;
    return withLent && crew.canLend && this.#policy.mayLend(clock.now(), crew.lentCount);
  }

  /** Something has changed that nested calls may wait for; looks when what is being done is done. */
  lookSoon(): void {
    if (this.#isDue || this.#isStopped) return;
    this.#isDue = true;
    this.#parts.soon(this.#look);
  }

  /** A lent worker is gone; `hasFailed` when it never served. */
  onGone(hasFailed: boolean): void {
    if (hasFailed) this.#policy.onFailed(this.#parts.clock.now());
    this.lookSoon();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  readonly #look = (): void => {
    this.#isDue = false;
    if (this.#isStopped) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const { calls, forAny } = this.#parts.waiting();
    if (calls.length > 0) this.#help(calls, forAny);
    this.#takeBack();
    this.#lookLater(calls.length > 0);
  };

  #help(calls: readonly PoolCall[], waiting: number): void {
    const { crew, clock, isBlocked } = this.#parts;
    const { startingCount: starting, lentCount: lent } = crew;
    const sample = { nowMs: clock.now(), waiting, isBlocked: isBlocked(), starting, lent };
    if (crew.canLend && this.#policy.needsOneMore(sample)) return this.#lend(lent, waiting);
    // A call that is pinned to its session's worker is helped by no other.
    for (const call of calls.toReversed()) if (call.isStuck(new Set())) return this.#refuse(call);
  }

  #lend(lent: number, waiting: number): void {
    const { pool, log, crew } = this.#parts;
    const message = `all workers wait in tools, and ${waiting} calls made there wait for a worker; a further one is lent (${lent + 1})`;
    log({ level: 'info', pool, message });
    crew.lend();
  }

  /** One at a time: its failure may set the others going. */
  #refuse(call: PoolCall): void {
    this.#parts.refuse(call);
    this.lookSoon();
  }

  #takeBack(): void {
    const { idleLent, clock, crew, options } = this.#parts;
    const until = clock.now() - options.nested.idleMs;
    for (const { worker, since } of idleLent()) if (since <= until) crew.takeBack(worker);
  }

  #lookLater(callsWait: boolean): void {
    const { crew, clock, options } = this.#parts;
    if (this.#isDue || (!callsWait && crew.lentCount === 0)) return;
    this.#timer = clock.after(callsWait ? LOOK_MS : Math.max(LOOK_MS, options.nested.idleMs), this.#look);
  }
}
