import type { Pool } from '../../pool/index.js';
import type { ResolvedPoolOptions } from '../../pool/options.js';
import type { CallRecord, Outcome } from './call-record.js';
import type { World } from './world.js';

/** How late the end of a call may be noticed: the sweep's interval, and as much again. */
const SWEEP_GRACE_MS = 20;

/** What must hold at every moment of every schedule. Each check returns nothing and throws a Violation. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export class Invariants {
  /** By worker: calls written to it that it has not answered. */
  readonly #inHand = new Map<string, Set<CallRecord>>();
  readonly #waiting = new Set<CallRecord>();
  /** By session: the worker that got its latest call. */
  readonly #homes = new Map<string, string>();

  /** Calls that were in workers' hands or came since the last check, and how far the queue was over its limit then. */
  #couldReturn = 0;
  #excess = 0;
  /** Older calls that still wait, with the younger ones that were given out before them. */
  readonly #overtaken = new Map<CallRecord, CallRecord>();

  constructor(
    private readonly world: World,
    private readonly options: ResolvedPoolOptions,
    private readonly pool: () => Pool,
  ) {}

  /** Which worker a session was on last; the pool asks. */
  lastWorkerOf(session: string): string | undefined {
    return this.#homes.get(session);
  }

  /** The pool has given a session's call to a worker. */
  rememberWorker(session: string, worker: string): void {
    const home = this.#homes.get(session);
    this.#homes.set(session, worker);
    if (home === undefined || home === worker || this.options.affinity === 'hint') return;
    const isThere = this.pool()
      .workers()
      .some(({ id, state }) => id === home && state === 'ready');
    if (isThere) fail(`session ${session} was moved from ${home}, which is ready, to ${worker}`);
  }

  onMade(call: CallRecord): void {
    this.#couldReturn += 1;
    this.#waiting.add(call);
  }

  onHanded(worker: string, call: CallRecord): void {
    const hand = this.#inHand.get(worker) ?? new Set();
    this.#inHand.set(worker, hand.add(call));
    this.#waiting.delete(call);
    call.handedTo.push(worker);
    const { window, concurrency, maxAttempts } = this.options;
    const most = Math.max(window, concurrency);
    if (hand.size > most)
      fail(`${worker} has ${hand.size} calls in hand; window ${window}, concurrency ${concurrency}`);
    const streams = [...hand].filter(({ kind }) => kind === 'stream').length;
    if (streams > concurrency) fail(`${worker} has ${streams} streams in hand; concurrency ${concurrency}`);
    // A call that was written to a worker which never read it counts, as the host cannot know; one that a worker gave back does not.
    const attempts = call.handedTo.length - call.answeredBy.length;
    if (attempts > (call.isIdempotent ? maxAttempts : 1)) {
      fail(
        `call ${call.n}${call.isIdempotent ? '' : ', not idempotent,'} was tried ${attempts} times; maxAttempts ${maxAttempts}`,
      );
    }
    this.#checkTurn(call);
  }

  onAnswered(worker: string, call: CallRecord): void {
    this.#inHand.get(worker)?.delete(call);
    call.answeredBy.push(worker);
  }

  onWorkerGone(worker: string): void {
    this.#inHand.delete(worker);
  }

  onSettled(call: CallRecord, outcome: Outcome): void {
    this.#waiting.delete(call);
    call.settle(outcome);
    if (call.outcomes.length > 1) fail(`call ${call.n} was settled ${call.outcomes.length} times`);
    this.#checkDelivery(call, outcome);
  }

  /** To be asked after every step. */
  check(calls: Iterable<CallRecord>): void {
    const now = this.world.clock.now();
    for (const call of calls) {
      if (!call.isSettled && now > call.deadline + SWEEP_GRACE_MS) {
        fail(`call ${call.n} is not settled ${Math.round(now - call.deadline)} ms after its deadline`);
      }
    }
    this.#checkQueue();
    for (const [older, younger] of this.#overtaken) {
      // Given out at the same moment to two workers, they may be written in any order.
      if (this.#waiting.has(older))
        fail(`call ${younger.n} was given out before ${older.n}, which is like it and older`);
    }
    this.#overtaken.clear();
  }

  /** What a dead worker returns goes back to the queue whatever its length: it was admitted before. */
  #checkQueue(): void {
    const { queued, retrying } = this.pool().stats();
    const inFlight = this.pool()
      .workers()
      .reduce((sum, worker) => sum + worker.inFlight, 0);
    const excess = queued - this.options.maxQueue;
    if (excess > this.#excess + this.#couldReturn) {
      fail(
        `${queued} calls wait; maxQueue ${this.options.maxQueue}, ${this.#couldReturn} could be returned by workers`,
      );
    }
    this.#excess = Math.max(0, excess);
    this.#couldReturn = inFlight + retrying;
  }

  /** To be asked at the end: what callers were told has stayed true. */
  checkAll(calls: readonly CallRecord[]): void {
    for (const call of calls) {
      const [outcome] = call.outcomes;
      if (outcome === undefined) fail(`call ${call.n} was never settled`);
      this.#checkDelivery(call, outcome);
      const begun = this.world.journal.timesBegun(call.n);
      if (!call.isIdempotent && begun > 1) fail(`call ${call.n}, not idempotent, was begun ${begun} times`);
    }
    const { requests, succeeded, cancelled, errors } = this.pool().stats();
    if (requests !== calls.length) fail(`${requests} requests were counted of ${calls.length}`);
    if (succeeded + cancelled + errors !== requests) {
      fail(`${requests} requests, but ${succeeded} + ${cancelled} + ${errors} outcomes were counted`);
    }
  }

  #checkDelivery(call: CallRecord, { code, delivery }: Outcome): void {
    const { journal } = this.world;
    const begun = journal.timesBegun(call.n);
    if (delivery === 'not-started' && begun > 0) fail(`call ${call.n} (${code}) was begun, and called not started`);
    if (delivery === 'ran' && begun === 0) fail(`call ${call.n} (${code}) was never begun, and said to have run`);
    if (code === undefined && !journal.hasFinished(call.n)) fail(`call ${call.n} succeeded without having run`);
  }

  /** First come, first served among calls that differ in nothing but their age. */
  #checkTurn(call: CallRecord): void {
    if (call.session !== undefined || call.handedTo.length > 1) return;
    for (const other of this.#waiting) {
      if (other.madeAt >= call.madeAt) continue;
      if (other.command !== call.command || other.kind !== call.kind) continue;
      if (other.priority !== call.priority || other.session !== undefined) continue;
      this.#overtaken.set(other, call);
    }
  }
}

function fail(message: string): never {
  throw new Violation(message);
}
