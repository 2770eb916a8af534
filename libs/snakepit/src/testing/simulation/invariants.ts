import type { Pool } from '../../pool/index.js';
import type { ResolvedPoolOptions } from '../../pool/options.js';
import { PRIORITIES } from '../../pool/wait-queue.js';
import type { CallRecord, Outcome } from './call-record.js';
import { IdleWatch } from './idle-watch.js';
import { COMMANDS } from './scripted-voice.js';
import { STREAM_CREDIT } from './scripted-worker.js';
import { isTrue, profileOf } from './truth.js';
import { fail } from './violation.js';
import type { World } from './world.js';

/** How late the end of a call may be noticed: the sweep's interval, and as much again. */
const SWEEP_GRACE_MS = 20;

/** What must hold at every moment of every schedule. Each check returns nothing and throws a Violation. */
export class Invariants {
  /** By worker: calls written to it that it has not answered. */
  readonly #inHand = new Map<string, Set<CallRecord>>();
  /** Calls that no worker was given yet. */
  readonly #waiting = new Set<CallRecord>();
  /** By session: the worker that got its latest call. */
  readonly #homes = new Map<string, string>();
  /** Sessions, each with the workers that they are known to have been on. */
  readonly #visited = new Set<string>();
  readonly #idle: IdleWatch;

  /** Calls that were given out before others that seemed to wait; whether these had just failed, their callers hear a little later. */
  #overtaking: Array<{ readonly call: CallRecord; readonly waiting: CallRecord; readonly atMs: number }> = [];
  /** Calls that were in workers' hands or came since the last check, and how far the queue was over its limit then. */
  #couldReturn = 0;
  #excess = 0;

  constructor(
    private readonly world: World,
    private readonly options: ResolvedPoolOptions,
    private readonly pool: () => Pool,
    private readonly isClosing: () => boolean,
  ) {
    this.#idle = new IdleWatch(world.clock);
  }

  /** Which worker a session was on last; the pool asks. */
  lastWorkerOf(session: string): string | undefined {
    return this.#homes.get(session);
  }

  /** The pool has given a session's call to a worker. */
  rememberWorker(session: string, worker: string): void {
    const home = this.#homes.get(session);
    this.#homes.set(session, worker);
    this.#visited.add(`${session} ${worker}`);
    if (home === undefined || home === worker || this.options.affinity === 'hint') return;
    const isThere = this.pool()
      .workers()
      .some(({ id, state }) => id === home && state === 'ready');
    if (isThere) fail(`session ${session} was moved from ${home}, which is ready, to ${worker}`);
  }

  /** The pool has looked at a new call, before which so many waited: unless it has refused or placed it, the call waits. */
  onMade(call: CallRecord, queuedBefore: number): void {
    const { queued } = this.pool().stats();
    const { maxQueue } = this.options;
    if (queued > Math.max(queuedBefore, maxQueue))
      fail(`call ${call.n} waits as number ${queued}; maxQueue ${maxQueue}`);
    this.#couldReturn += 1;
    if (call.placedAt === undefined && !call.isSettled) this.#waiting.add(call);
  }

  /** The pool has chosen a worker for a call; it may do so again when that one is lost. */
  onPlaced(call: CallRecord): void {
    if (call.placedAt !== undefined) return;
    this.#waiting.delete(call);
    call.placedAt = this.world.clock.now();
    if (call.plan.session === undefined) this.#checkTurn(call);
  }

  onHanded(worker: string, call: CallRecord): void {
    const hand = this.#inHand.get(worker) ?? new Set();
    this.#inHand.set(worker, hand.add(call));
    this.#idle.onBusy(worker);
    call.handedTo.push(worker);
    if (call.placedAt === undefined) fail(`call ${call.n} was written before it was placed`);
    const { session } = call.plan;
    if (session !== undefined && !this.#visited.has(`${session} ${worker}`)) {
      fail(`call ${call.n} is on ${worker}, which the session ${session} is not known to have been on`);
    }
    const { window, concurrency, maxAttempts } = this.options;
    const most = concurrency === 1 ? window : window + concurrency;
    if (hand.size > most)
      fail(`${worker} has ${hand.size} calls in hand; window ${window}, concurrency ${concurrency}`);
    const streams = [...hand].filter(({ plan }) => plan.kind === 'stream');
    if (streams.length > concurrency)
      fail(`${worker} has ${streams.length} streams in hand; concurrency ${concurrency}`);
    const alone = streams.filter(({ plan }) => ALONE.has(plan.command)).length;
    if (alone > 1) fail(`${worker} has ${alone} streams in hand that need it for themselves`);
    // A call that was written to a worker which never read it counts, as the host cannot know; one that a worker gave back does not.
    const attempts = call.handedTo.length - call.answeredBy.length;
    const { idempotent } = call.plan;
    if (attempts > (idempotent ? maxAttempts : 1)) {
      fail(
        `call ${call.n}${idempotent ? '' : ', not idempotent,'} was tried ${attempts} times; maxAttempts ${maxAttempts}`,
      );
    }
  }

  onAnswered(worker: string, call: CallRecord): void {
    this.#inHand.get(worker)?.delete(call);
    this.#idle.onBusy(worker);
    call.answeredBy.push(worker);
  }

  onWorkerGone(worker: string): void {
    const { journal } = this.world;
    journal.end(worker);
    const hand = this.#inHand.get(worker) ?? [];
    for (const profile of new Set([...hand].map(profileOf))) journal.dieOf(profile);
    this.#inHand.delete(worker);
    this.#idle.onGone(worker);
  }

  /** `n` is the number that the worker has sent: how many more items are to come. */
  onItem(call: CallRecord, n: unknown): void {
    if (call.isSettled) fail(`call ${call.n} got an item after its end`);
    call.received += 1;
    const expected = this.world.itemsOf(call.n) - call.received;
    if (n !== expected) fail(`call ${call.n} got item ${String(n)} where ${expected} was due`);
    const allowed = STREAM_CREDIT + call.granted;
    if (call.received > allowed) fail(`call ${call.n} got ${call.received} items; its consumer has allowed ${allowed}`);
  }

  onSettled(call: CallRecord, outcome: Outcome): void {
    this.#waiting.delete(call);
    call.settle(outcome);
    if (call.outcomes.length > 1) fail(`call ${call.n} was settled ${call.outcomes.length} times`);
    this.#checkDelivery(call, outcome);
    const { code, details, atMs: nowMs } = outcome;
    const { options, world } = this;
    const facts = {
      call,
      details,
      nowMs,
      options,
      pool: this.pool(),
      journal: world.journal,
      isClosing: this.isClosing(),
    };
    if (code !== undefined && !isTrue(code, facts)) fail(`call ${call.n} failed with ${code}, which is not so`);
    if (code === undefined && call.plan.kind === 'stream' && call.received !== world.itemsOf(call.n)) {
      fail(`call ${call.n} ended after ${call.received} of ${world.itemsOf(call.n)} items`);
    }
  }

  /** To be asked after every step. */
  check(calls: Iterable<CallRecord>): void {
    const now = this.world.clock.now();
    for (const call of calls) {
      if (!call.isSettled && now > call.deadline + SWEEP_GRACE_MS) {
        fail(`call ${call.n} is not settled ${Math.round(now - call.deadline)} ms after its deadline`);
      }
    }
    for (const call of this.#waiting) {
      const waitedMs = now - call.madeAt;
      if (waitedMs > this.options.queueTimeoutMs + SWEEP_GRACE_MS) {
        fail(`call ${call.n} waits for ${Math.round(waitedMs)} ms; queueTimeoutMs ${this.options.queueTimeoutMs}`);
      }
    }
    this.#checkTurns();
    this.#checkQueue();
    this.#checkSlots();
    this.#idle.check(this.pool().workers(), this.world.processes, this.#waiting);
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

  /** A worker holds for the pool what it holds indeed; a slot that is not given back would be lost for good. */
  #checkSlots(): void {
    let booked = 0;
    for (const { id, state, inFlight } of this.pool().workers()) {
      if (state !== 'ready') continue;
      booked += inFlight;
      const hand = this.#inHand.get(id) ?? NOTHING;
      if (inFlight !== hand.size) fail(`the pool has ${inFlight} calls on ${id}, which has ${hand.size}`);
      for (const call of hand) {
        const isAsked = !call.isSettled || call.askedToStop.has(id);
        if (!isAsked) fail(`${id} was not asked to stop call ${call.n}, which is settled`);
      }
    }
    const { inFlight } = this.pool().stats();
    if (inFlight !== booked) fail(`the pool's places hold ${inFlight} calls, its workers ${booked}`);
  }

  /** To be asked at the end: what callers were told has stayed true. */
  checkAll(calls: readonly CallRecord[]): void {
    for (const call of calls) {
      const [outcome] = call.outcomes;
      if (outcome === undefined) fail(`call ${call.n} was never settled`);
      this.#checkDelivery(call, outcome);
      const begun = this.world.journal.timesBegun(call.n);
      if (!call.plan.idempotent && begun > 1) fail(`call ${call.n}, not idempotent, was begun ${begun} times`);
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

  /** By priority, then first come, first served, among calls that differ in nothing else. */
  #checkTurn(call: CallRecord): void {
    const atMs = this.world.clock.now();
    for (const waiting of this.#waiting) {
      if (profileOf(waiting) !== profileOf(call) || waiting.plan.session !== undefined) continue;
      const isBehind =
        urgency(waiting) === urgency(call) ? waiting.madeAt >= call.madeAt : urgency(waiting) > urgency(call);
      if (!isBehind) this.#overtaking.push({ call, waiting, atMs });
    }
  }

  #checkTurns(): void {
    for (const { call, waiting, atMs } of this.#overtaking) {
      if (waiting.outcomes[0]?.atMs === atMs) continue;
      fail(`call ${call.n} was given out before ${waiting.n}, which is like it and older or more urgent`);
    }
    this.#overtaking = [];
  }
}

const NOTHING: ReadonlySet<CallRecord> = new Set();
const ALONE = new Set(COMMANDS.filter(({ concurrent }) => concurrent === false).map(({ name }) => name));

function urgency({ plan }: CallRecord): number {
  return PRIORITIES.indexOf(plan.priority);
}
