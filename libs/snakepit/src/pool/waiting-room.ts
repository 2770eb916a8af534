import type { Clock, DeadlineSweep, SnakepitError, Timer } from '../core/index.js';
import { sizeOfArguments } from './argument-size.js';
import { Backlog, precedes } from './backlog.js';
import type { ResolvedPoolOptions } from './options.js';
import { NestedBacklogs } from './nested-backlogs.js';
import { Overload } from './overload.js';
import type { Placement } from './placement.js';
import type { PoolCall } from './pool-call.js';
import type { PoolLoad } from './pool-errors.js';
import { QueueLimits } from './queue-limits.js';
import { FAST_LANE_MS, type Scheduler } from './scheduler.js';
import type { Seat } from './seat.js';
import type { Seats } from './seats.js';

export interface WaitingRoomParts {
  readonly name: string;
  readonly options: ResolvedPoolOptions;
  readonly clock: Clock;
  readonly seats: Seats;
  readonly scheduler: Scheduler<Seat<PoolCall>>;
  readonly placement: Placement;
  readonly deadlines: DeadlineSweep;
  /** Runs a task when what is being done is done, and before callers go on: `process.nextTick`. */
  readonly soon: (task: () => void) => void;
  /** Why a call must not wait now, as when no worker can be expected; undefined when it may. */
  readonly refusal: () => SnakepitError | undefined;
  /** Gives a worker a call whose command is batched, and others along with it. */
  readonly dispatchBatch: (call: PoolCall, seat: Seat<PoolCall>, now: number) => void;
  /** Calls made inside tools wait. */
  readonly onNestedWait: () => void;
}

/** Calls that wait for a worker: for any, or for that of their session. {@link WaitingRoom.pump} is how they get one. */
export class WaitingRoom {
  readonly #parts: WaitingRoomParts;
  readonly #clock: Clock;
  readonly #seats: Seats;
  readonly #scheduler: Scheduler<Seat<PoolCall>>;
  readonly #placement: Placement;
  readonly #deadlines: DeadlineSweep;
  readonly #backlog = new Backlog<PoolCall>();
  /** Calls made inside tools: workers are held for them, so that they come first. */
  readonly #nested = new NestedBacklogs<PoolCall>();
  readonly #limits: QueueLimits;
  readonly #overload: Overload;
  /** Runs while calls wait although a worker is idle. */
  #retry: Timer | undefined;
  #isPumpDue = false;
  #isClosed = false;

  constructor(parts: WaitingRoomParts) {
    this.#parts = parts;
    this.#clock = parts.clock;
    this.#seats = parts.seats;
    this.#scheduler = parts.scheduler;
    this.#placement = parts.placement;
    this.#deadlines = parts.deadlines;
    const limits = (this.#limits = new QueueLimits(parts.options));
    const refuse = (call: PoolCall, error: SnakepitError): void => this.refuse(call, error);
    this.#overload = new Overload({
      ...parts,
      limits,
      backlog: this.#backlog,
      nested: this.#nested,
      backlogs: () => this.#backlogs(),
      refuse,
    });
  }

  /** How many calls wait. */
  get size(): number {
    return this.#limits.calls;
  }

  /** How many calls wait for any worker, and how long the oldest of them has. */
  waitForAny(nowMs: number): { readonly queued: number; readonly oldestWaitMs: number } {
    return { queued: this.#backlog.size, oldestWaitMs: nowMs - (this.#backlog.oldestAdmittedAt ?? nowMs) };
  }

  /** Calls made inside tools that wait; `forAny` of them may go to whichever worker, lent ones included. */
  get nested(): { readonly calls: readonly PoolCall[]; readonly forAny: number } {
    const pinned = [...this.#seats].flatMap((seat) => seat.pinned.calls());
    const calls = [...this.#nested.calls(), ...pinned.filter(({ settings }) => settings.nesting !== undefined)];
    const forAny = this.#nested.calls().filter((call) => this.#placement.mayUseLent(call)).length;
    return { calls, forAny };
  }

  /** Whether calls made inside tools wait. */
  get hasNested(): boolean {
    if (this.#nested.size > 0) return true;
    const isPinning = this.#parts.options.affinity === 'strict-queue' && this.size > 0;
    return isPinning && this.nested.calls.length > 0;
  }

  /** The only worker that may take a call that waits; undefined where any may. */
  onlySeatOf(call: PoolCall): Seat<PoolCall> | undefined {
    if (this.#parts.options.affinity !== 'strict-queue') return undefined;
    return this.#seats.homeOf(call);
  }

  /** What is to be told of the pool where it has no worker for a call in time. */
  load(call: PoolCall, nowMs: number): PoolLoad {
    return this.#overload.load(call, nowMs);
  }

  /** All that wait, in no order that matters. */
  calls(): PoolCall[] {
    return this.#backlogs().flatMap((backlog) => backlog.calls());
  }

  #backlogs(): Backlog<PoolCall>[] {
    return [...this.#nested.all(), this.#backlog, ...[...this.#seats].map((seat) => seat.pinned)];
  }

  // ---- coming and going ------------------------------------------------------------------------------------------

  /** Lets a call wait, or refuses it. */
  enter(call: PoolCall, now: number): void {
    const { options, refusal } = this.#parts;
    call.expiresAt = Math.min(call.deadline, now + options.queueTimeoutMs);
    const home = options.affinity === 'strict-queue' ? this.#seats.homeOf(call) : undefined;
    const refused = refusal() ?? this.#overload.refusal(call, home === undefined, now);
    if (refused !== undefined) return this.refuse(call, refused);
    const { gathering, settings } = call;
    if (gathering !== undefined && settings.nesting === undefined) gathering.gather(call);
    else if (home === undefined) this.#backlogOf(call).push(call);
    else pin(call, home);
    this.#limits.add(call.queuedBytes);
    this.#deadlines.watch(call);
    if (call.settings.nesting !== undefined) this.#parts.onNestedWait();
    this.#retryLater();
  }

  /** Gives calls that have waited for others their place in the queue. */
  lineUp(calls: readonly PoolCall[]): void {
    const isStrict = this.#parts.options.affinity === 'strict-queue';
    for (const call of calls) ((isStrict ? this.#seats.homeOf(call) : undefined)?.pinned ?? this.#backlog).push(call);
    this.pumpSoon();
  }

  /** Lets a call that had its turn wait before all others, up to its deadline. */
  enterAgain(call: PoolCall): void {
    call.recalledFor = undefined;
    if (call.queuedBytes === 0) call.queuedBytes = sizeOfArguments(call.args);
    this.#backlogOf(call).pushFront(call);
    call.gathering?.onWaitsAgain(call);
    this.#limits.add(call.queuedBytes);
    call.expiresAt = call.deadline;
    this.#deadlines.watch(call);
  }

  /** Without effect on a call that waits no more: a listener that was told of one call may have cancelled another. */
  leave(call: PoolCall): void {
    if (call.queue === undefined) return;
    Backlog.remove(call);
    this.#limits.remove(call.queuedBytes);
    call.gathering?.onLeft(call);
  }

  /** Fails a call that no worker holds; one that waits does so no more. */
  refuse(call: PoolCall, error: SnakepitError): void {
    this.leave(call);
    this.#deadlines.forget(call);
    call.fail(error);
  }

  /** Lets calls that waited for one worker wait for any; the first of a session to find one takes the others along. */
  findNewHomes(calls: readonly PoolCall[]): void {
    for (const call of oldestLast(calls)) {
      Backlog.remove(call);
      this.#backlogOf(call).pushFront(call);
    }
    this.pump();
  }

  #backlogOf({ settings }: PoolCall): Backlog<PoolCall> {
    return settings.nesting === undefined ? this.#backlog : this.#nested.at(settings.nesting.depth);
  }

  /** A command has become fast, or slow, or shares workers no more: its waiting calls must not hold up those of the queue they no longer belong to. */
  refile(): void {
    if (this.size === 0) return;
    for (const backlog of this.#backlogs()) backlog.refile();
  }

  /** Looks after its calls no more by itself. */
  close(): void {
    this.#isClosed = true;
  }

  dispose(): void {
    this.#retry?.cancel();
  }

  // ---- whose turn it is ------------------------------------------------------------------------------------------

  /**
   * Whether others wait before it for whichever worker is free. Where one of them needs more than the worker at hand can take, calls
   * that need less would otherwise pass it by for as long as they come.
   */
  mustJoin(call: PoolCall): boolean {
    if (this.size === 0 || !this.#backlogOf(call).hasBefore(call)) return false;
    return this.#parts.options.affinity === 'hint' || this.#seats.homeOf(call) === undefined;
  }

  /** Gives away what room there is by now, before a new call takes it: time alone may have made some. */
  pumpBefore(now: number): void {
    if (this.#isPumpDue || (this.#retry !== undefined && !this.#scheduler.hasFastTraffic(now))) this.pump();
  }

  /** Answers come in chunks: the room that all answers of one chunk make is given away at once, when the chunk is read. */
  pumpSoon(): void {
    if (this.#isPumpDue || this.size === 0) return;
    this.#isPumpDue = true;
    this.#parts.soon(this.#pumpIfDue);
  }

  readonly #pumpIfDue = (): void => {
    if (this.#isPumpDue) this.pump();
  };

  /** Gives waiting calls to workers for as long as some worker takes one. */
  pump(): void {
    this.#isPumpDue = false;
    if (this.size === 0) return;
    const now = this.#clock.now();
    this.#pumpNested(now);
    // A worker that sessions keep busy is also for the call that came before theirs and may go anywhere.
    this.#pumpPinned(now, this.#backlog.first());
    this.#backlog.drainInto((call) => {
      const seat = this.#placement.seatFor(call, now);
      if (seat !== undefined) return this.#takeTurn(call, seat, now);
      return call.isSettled || this.#waitAtHome(call);
    });
    this.#pumpPinned(now, undefined);
    if (needsIdleWorker(this.#backlog.first())) this.#scheduler.claim(now);
    this.#retryLater();
  }

  /** A worker that is never idle while ordinary calls come runs empty for them. */
  #pumpNested(now: number): void {
    if (this.#nested.size === 0) return;
    this.#nested.drainInto((call) => {
      const seat = this.#placement.seatFor(call, now);
      if (seat !== undefined) return this.#handOut(call, seat, now);
      return call.isSettled || this.#waitAtHome(call);
    });
    if (this.#nested.size > 0) this.#scheduler.claimForNested();
  }

  /** Gives workers the calls that wait for them alone, where these come before `rival`. */
  #pumpPinned(now: number, rival: PoolCall | undefined): void {
    for (const seat of this.#seats) {
      if (seat.pinned.size === 0) continue;
      seat.pinned.drainInto((call) => {
        if (rival !== undefined && precedes(rival, call)) return false;
        if (!this.#placement.canTake(seat, call, now)) return false;
        return this.#handOut(call, seat, now);
      });
      if (rival === undefined && needsIdleWorker(seat.pinned.first())) this.#scheduler.claim(now, seat);
    }
  }

  /** It is the call's turn: a worker gets it, unless it comes too late; true in any case: the call waits no more. */
  #takeTurn(call: PoolCall, seat: Seat<PoolCall>, now: number): true {
    const tooLate = this.#overload.tooLate(call, now);
    if (tooLate === undefined) return this.#handOut(call, seat, now);
    this.refuse(call, tooLate);
    return true;
  }

  #handOut(call: PoolCall, seat: Seat<PoolCall>, now: number): true {
    this.takeAlong(call, now);
    if (call.gathering === undefined) this.#placement.dispatch(call, seat, now);
    else this.#parts.dispatchBatch(call, seat, now);
    return true;
  }

  /** A worker gets the call, by its own turn or by that of another. */
  takeAlong(call: PoolCall, now: number): void {
    call.queue?.rate.onHandedOut(now, now - call.admittedAt);
    this.leave(call);
  }

  /** Lets a waiting call of a session that has found a worker since wait for that one; false where it may go to any. */
  #waitAtHome(call: PoolCall): boolean {
    const home = this.#parts.options.affinity === 'strict-queue' ? this.#seats.homeOf(call) : undefined;
    if (home === undefined) return false;
    Backlog.remove(call);
    pin(call, home);
    return true;
  }

  /**
   * A slow call may wait beside an idle worker that is kept for fast ones. When those stop coming no event tells, so that
   * time has to.
   */
  #retryLater(): void {
    if (this.#retry !== undefined || this.size === 0 || this.#isClosed) return;
    if (!this.#scheduler.lanes.some((lane) => lane.isOpen)) return;
    const waitMs = this.#scheduler.keptFreeForMs(this.#clock.now()) || FAST_LANE_MS;
    this.#retry = this.#clock.after(waitMs, () => {
      this.#retry = undefined;
      this.pump();
    });
  }
}

/** Lets a call wait for this worker alone: one that a tool has made before those that only wait. */
function pin(call: PoolCall, { pinned }: Seat<PoolCall>): void {
  if (call.settings.nesting === undefined) pinned.push(call);
  else pinned.pushFront(call);
}

/** Of calls that each go to the front, the oldest has to go last. */
export function oldestLast(calls: readonly PoolCall[]): PoolCall[] {
  return calls.toSorted((a, b) => b.admittedAt - a.admittedAt);
}

function needsIdleWorker(call: PoolCall | undefined): boolean {
  return call !== undefined && call.profile.pace !== 'fast' && !call.profile.isShared;
}
