import type { ChannelCall } from '../channel/index.js';
import { DeadlineSweep, hasListeners, toError, type Clock, type LogSink, type SnakepitError } from '../core/index.js';
import { leavesInPeace, type ExitCause, type OrphanedCall, type Worker } from '../worker/index.js';
import { Batch } from './batching/batch.js';
import type { BatchedCall } from './batching/batched-call.js';
import { Batching } from './batching/batching.js';
import { outcomeOf, publishCall } from './call-events.js';
import { CallMetering } from './call-metering.js';
import { CrashBarrier } from './crash-barrier.js';
import { OpenCalls } from './open-calls.js';
import type { ResolvedPoolOptions } from './options.js';
import { OverdueCalls } from './overdue-calls.js';
import { Placement } from './placement.js';
import type { PoolCall, PoolCallOwner } from './pool-call.js';
import {
  callTimeout,
  cancelled,
  closed,
  invalidResult,
  lostToHungWorker,
  nestedDeadlock,
  queueTimeout,
  sessionWorkerUnavailable,
} from './pool-errors.js';
import { Retries } from './retries.js';
import { PoolCounters, type WorkerCounters } from './pool-stats.js';
import { Scheduler, type Lane } from './scheduler.js';
import type { Seat } from './seat.js';
import { Seats, type SessionAffinity } from './seats.js';
import type { ToolRun } from './tool-run.js';
import { ToolRuns } from './tool-runs.js';
import { WaitGraph } from './wait-graph.js';
import { oldestLast, WaitingRoom } from './waiting-room.js';

export interface DispatcherParts {
  readonly name: string;
  /** What its errors are known by as this application's, see `SnakepitError.instance`. */
  readonly instance: string;
  readonly options: ResolvedPoolOptions;
  readonly affinity: SessionAffinity;
  readonly clock: Clock;
  readonly log: LogSink;
  /** Runs a task when what is being done is done, and before callers go on: `process.nextTick`. */
  readonly soon: (task: () => void) => void;
  /** Why a call must not wait now, as when no worker can be expected; undefined when it may. */
  readonly refusal: () => SnakepitError | undefined;
  /** Whether another worker may be expected, lent ones apart or included. */
  readonly mayGrow: (withLent: boolean) => boolean;
  /** Calls made inside tools wait, or what they wait for has changed. */
  readonly onNestedWait: () => void;
  /** From 0 up to 1; default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/**
 * The middle of the river: gives calls to workers or lets them wait, and sees every one of them to its end.
 *
 * ```
 *   admit ──▸ Placement ──▸ a worker's hands ──▸ onReleased, callsLost, onRecalled
 *     │           ▴                │
 *     ▾           │ pump           ▾ the deadline passes
 *   WaitingRoom ──┘           OverdueCalls
 * ```
 * A call is here from {@link admit} until it is both settled and released; it waits in exactly one backlog, or is placed on
 * exactly one worker, or is over.
 */
export class Dispatcher implements PoolCallOwner {
  readonly totals = new PoolCounters();
  readonly batching: Batching;

  readonly #parts: DispatcherParts;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler<Seat<PoolCall>>;
  readonly #deadlines: DeadlineSweep;
  readonly #barrier: CrashBarrier;
  readonly #seats: Seats;
  readonly #placement: Placement;
  readonly #room: WaitingRoom;
  readonly #overdue: OverdueCalls;
  readonly #retries: Retries;
  readonly #open = new OpenCalls();
  readonly #toolRuns: ToolRuns;
  readonly #waitGraph: WaitGraph;
  readonly #metering: CallMetering;
  #isClosed = false;

  constructor(parts: DispatcherParts) {
    const { options, affinity, clock, name: pool } = parts;
    this.#parts = parts;
    this.#clock = clock;
    this.#metering = new CallMetering(clock);
    const scheduler = (this.#scheduler = new Scheduler(options));
    const deadlines = (this.#deadlines = new DeadlineSweep(clock));
    const seats = (this.#seats = new Seats(options, affinity, scheduler));
    const refuse = (call: PoolCall, error: SnakepitError): void => this.#room.refuse(call, error);
    const onChange = (): void => {
      if (!this.#room.hasNested) return;
      this.#room.pumpSoon();
      parts.onNestedWait();
    };
    const toolRuns = (this.#toolRuns = new ToolRuns({ pool, onChange }));
    const placement = (this.#placement = new Placement({ ...parts, seats, scheduler, deadlines, toolRuns, refuse }));
    const dispatchBatch = (call: PoolCall, seat: Seat<PoolCall>, now: number): void =>
      this.batching.dispatch(call as BatchedCall, seat, now);
    const room = (this.#room = new WaitingRoom({ ...parts, seats, scheduler, deadlines, placement, dispatchBatch }));
    const homeOf = (call: PoolCall): Seat<PoolCall> | undefined => this.#room.onlySeatOf(call);
    const mayUseLent = (call: PoolCall): boolean => placement.mayUseLent(call);
    this.#waitGraph = new WaitGraph({ ...parts, scheduler, toolRuns, homeOf, mayUseLent });
    const overdue = (this.#overdue = new OverdueCalls({ ...parts, deadlines }));
    this.batching = new Batching({ ...parts, deadlines, room, placement, overdue, open: this.#open, calls: this });
    const again = (call: PoolCall): void => {
      this.#room.enterAgain(call);
      this.#room.pumpSoon();
    };
    const random = parts.random ?? Math.random;
    this.#retries = new Retries({ settings: options.retry, clock, deadlines, random, again });
    this.#barrier = new CrashBarrier({ ...parts, pool, settings: options.taint });
  }

  /** Calls that wait for a worker. */
  get waiting(): number {
    return this.#room.size;
  }

  /** Calls that wait for the time of their next attempt. */
  get retrying(): number {
    return this.#retries.size;
  }

  /** How many calls wait for any worker, and how long the oldest of them has. */
  waitForAny(nowMs: number): { readonly queued: number; readonly oldestWaitMs: number } {
    return this.#room.waitForAny(nowMs);
  }

  /** How many workers the calls in hand keep busy; one that could take more slow calls counts as a part of one. */
  get busyWorkers(): number {
    return this.#seats.busyWorkers;
  }

  /** Calls that are not yet over. */
  get open(): number {
    return this.#open.count;
  }

  get lanes(): readonly Lane[] {
    return this.#scheduler.lanes;
  }

  /** Workers beyond the pool's size, for nested calls. */
  get lent(): readonly Seat<PoolCall>[] {
    return this.#scheduler.lent;
  }

  /** Those of them that have nothing to do, and since when. */
  get idleLent(): { readonly worker: Worker; readonly since: number }[] {
    const idle = this.#scheduler.lent.filter(({ inFlight }) => inFlight === 0);
    return idle.map(({ worker, progressAt }) => ({ worker, since: progressAt }));
  }

  /** Whether every worker is held by a call that waits for a tool. */
  get isBlocked(): boolean {
    return this.#scheduler.isBlocked;
  }

  /** Calls made inside tools that wait for a worker; see {@link WaitingRoom.nested}. */
  get nestedWaiting(): WaitingRoom['nested'] {
    return this.#room.nested;
  }

  /** Runs a tool on behalf of a call that a worker holds; see {@link ToolRuns.run}. */
  runTool<T>(call: PoolCall, blocks: boolean, task: (run: ToolRun) => Promise<T>): Promise<T> {
    return this.#toolRuns.run(call, blocks, task);
  }

  isStuck(call: PoolCall, seen: Set<object>): boolean {
    return this.#waitGraph.isStuck(call, seen);
  }

  /** Fails a call made inside a tool that would wait for ever. */
  refuseStuck(call: PoolCall): void {
    if (call.isSettled) return;
    const isPinned = this.#room.onlySeatOf(call) !== undefined;
    this.#room.refuse(call, nestedDeadlock(this.#parts.name, call, isPinned, this.lent.length));
  }

  /** Workers that take calls. */
  *workers(): IterableIterator<Worker> {
    for (const seat of this.#seats) yield seat.worker;
  }

  countersOf(worker: Worker): WorkerCounters {
    return this.#seats.countersOf(worker);
  }

  /** Takes a call in: a worker gets it now, or it waits, or it is refused. */
  admit(call: PoolCall): void {
    this.#open.enter();
    if (call.profile.taint === undefined) return this.#place(call);
    const tainted = this.#barrier.refusal(call);
    if (tainted !== undefined) return this.#room.refuse(call, tainted);
    this.#place(call);
    if (!call.isSettled) this.#barrier.onTaken(call);
  }

  #place(call: PoolCall): void {
    const now = call.admittedAt;
    if (call.gathering !== undefined) return this.batching.enter(call as BatchedCall, now);
    // Those who waited come first.
    this.#room.pumpBefore(now);
    const seat = this.#room.mustJoin(call) ? undefined : this.#placement.seatFor(call, now);
    if (seat !== undefined && this.#placement.dispatch(call, seat, now)) return this.#deadlines.watch(call);
    if (!call.isSettled) this.#room.enter(call, now);
  }

  /** What is known of commands has changed: their waiting calls may belong into another queue. */
  refile(): void {
    this.#room.refile();
  }

  /** Resolves when no call is open. */
  idle(): { readonly reached: Promise<void>; readonly giveUp: () => void } {
    return this.#open.none();
  }

  /** Fails all calls that wait, or those that are `meant`. */
  failWaiting(error: () => SnakepitError, meant: (call: PoolCall) => boolean = () => true): void {
    for (const call of [...this.#room.calls(), ...this.batching.gathered(), ...this.#retries.calls()]) {
      if (!call.isSettled && meant(call)) this.#room.refuse(call, error());
    }
  }

  /** Fails what waits and watches no more deadlines. Calls in workers' hands are settled as the workers end. */
  close(): void {
    this.#isClosed = true;
    this.#room.close();
    this.failWaiting(() => closed(this.#parts.name, 'not-started'));
  }

  /** To be called when all workers are gone. */
  dispose(): void {
    this.#room.dispose();
    this.batching.dispose();
    this.#deadlines.close();
  }

  // ---- workers come and go ---------------------------------------------------------------------------------------

  seat(worker: Worker, isLent = false): void {
    this.#seats.add(worker, isLent);
    this.#room.pump();
  }

  unseat(worker: Worker): void {
    const seat = this.#seats.remove(worker);
    if (seat === undefined) return;
    const pinned = seat.pinned.calls();
    if (leavesInPeace(worker.state)) return this.#room.findNewHomes(pinned);
    for (const call of pinned) {
      if (!call.isSettled) this.#room.refuse(call, sessionWorkerUnavailable(this.#parts.name, call, 'gone'));
    }
    this.#room.pump();
  }

  /** The worker's channel is full, or has room again. */
  setRoom(worker: Worker, hasRoom: boolean): void {
    const seat = this.#seats.of(worker);
    if (seat === undefined) return;
    seat.hasRoom = hasRoom;
    if (hasRoom) this.#room.pump();
  }

  /** Settles what a worker did not get to answer: started over where that is safe, failed elsewhere. */
  callsLost(calls: readonly OrphanedCall[], error: (call: ChannelCall) => SnakepitError, cause?: ExitCause): void {
    if (cause !== undefined) this.#blame(calls, cause);
    const again: PoolCall[] = [];
    const now = this.#clock.now();
    for (const { call: orphan, wasWritten } of calls) {
      this.#placement.takeOff(orphan as PoolCall, now);
      for (const call of this.#callsBehind(orphan as PoolCall)) {
        if (wasWritten) call.mayHaveRun = true;
        else call.attempts -= 1;
        if (call.isSettled) this.#leaveOpen(call, orphan);
        else if (this.#isClosed) call.fail(closed(this.#parts.name, call.deliverySoFar));
        else if (this.#mayRunAgain(call, wasWritten)) again.push(call);
        else call.fail(call.overdueError ?? error(call));
      }
    }
    for (const call of oldestLast(again)) this.#tryAgain(call, now);
    this.#room.pumpSoon();
  }

  /** A call that was settled in its worker's hands is over. Of a batch it was so already, unlike the batch. */
  #leaveOpen(call: PoolCall, inHand: ChannelCall): void {
    if (call === inHand) this.#open.leave();
  }

  /** The calls that a worker had in hand by this one: the call itself, or those of a batch, which is over then. */
  #callsBehind(call: PoolCall): readonly PoolCall[] {
    return call instanceof Batch ? this.batching.disband(call) : [call];
  }

  /** What certainly did not start keeps its turn; what may have is put off. */
  #tryAgain(call: PoolCall, now: number): void {
    // Who was told of another call's end may have left this one.
    if (call.isSettled) return;
    if (call.mayHaveRun) this.#retries.add(call, now);
    else this.#room.enterAgain(call);
  }

  /** A command that this death has tainted is not given to another worker: its waiting calls are refused. */
  #blame(calls: readonly OrphanedCall[], cause: ExitCause): void {
    const inHand = calls.filter(({ wasWritten }) => wasWritten).map(({ call }) => call as PoolCall);
    const tainted = this.#barrier.onDeath(inHand, cause);
    if (inHand.some(({ profile }) => profile.isSuspect)) this.#room.refile();
    if (tainted !== undefined) this.failWaiting(tainted.error, ({ profile }) => profile === tainted.profile);
  }

  #mayRunAgain(call: PoolCall, hasRun: boolean): boolean {
    if (call.chunks > 0 || call.isOverdue || call.profile.taint?.isTainted || call.input?.hasBeenRead) return false;
    return !hasRun || (call.settings.isIdempotent && call.attempts < this.#parts.options.maxAttempts);
  }

  // ---- what calls tell -------------------------------------------------------------------------------------------

  onReleased(call: PoolCall, serviceUs: number, hasFailed: boolean): void {
    const { profile } = call;
    const { watcher } = call.settings;
    if (watcher !== undefined) watcher.onReleased(serviceUs);
    const { worker, counters, channel } = this.#release(call);
    const { pace: paceBefore, isSuspect: wasSuspect } = profile;
    profile.learn(serviceUs, hasFailed);
    if (profile.pace !== paceBefore || profile.isSuspect !== wasSuspect) this.#room.refile();
    // Only of a call that was tried once is it known since when.
    if (call.isAlone && call.attempts === 1) profile.duration.learn(channel.lastHeardAt - call.startedAt!, hasFailed);
    const { meter } = profile;
    if (meter !== undefined) this.#metering.onReleased(meter, call, channel.lastHeardAt, serviceUs, hasFailed);
    counters.requests += call.callers;
    counters.totalTimeUs += serviceUs;
    if (hasFailed) counters.errors += call.callers;
    // What failed in no time may not have begun.
    if (profile.taint !== undefined && !(hasFailed && serviceUs === 0)) this.#barrier.onSurvival(call);
    if (call.isSettled) this.#open.leave();
    if (worker.state.kind === 'draining') worker.leaveIfIdle();
    this.#room.pumpSoon();
  }

  onRecalled(call: PoolCall, hasRun: boolean): void {
    const { worker, channel } = this.#release(call);
    for (const each of this.#callsBehind(call)) {
      if (hasRun) each.mayHaveRun = true;
      else each.attempts -= 1;
      if (this.#mayRunAgain(each, hasRun) && !this.#isClosed) this.#tryAgain(each, channel.lastHeardAt);
      else each.fail(lostToHungWorker(this.#parts.name, worker.id, each));
    }
    worker.leaveIfIdle();
    this.#room.pumpSoon();
  }

  onSettled(call: PoolCall, error: SnakepitError | undefined): void {
    error?.claim(this.#parts.instance);
    this.totals.onSettled(error?.code);
    call.settings.nesting?.nested.delete(call);
    this.#toolRuns.onSettled(call, error);
    if (error !== undefined) this.#retries.remove(call);
    if (call.seat === undefined) this.#open.leave();
    const { watcher } = call.settings;
    if (watcher !== undefined) watcher.onSettled(outcomeOf(call, this.#clock.now(), error));
    const { meter } = call.profile;
    if (meter !== undefined) this.#metering.onSettled(meter, call, error);
    if (hasListeners('snakepit:call')) publishCall(this.#parts.name, call, this.#clock.now(), error);
  }

  onCallExpired(call: PoolCall, nowMs: number): void {
    const { seat } = call;
    if (seat === undefined) this.#expireWaiting(call, nowMs);
    else this.#overdue.onExpired(call, seat, nowMs);
  }

  #expireWaiting(call: PoolCall, nowMs: number): void {
    const { name, options } = this.#parts;
    this.#room.leave(call);
    if (nowMs >= call.deadline) return call.fail(callTimeout(name, call, nowMs));
    const load = this.#room.load(call, nowMs);
    call.fail(queueTimeout(name, call, nowMs - call.admittedAt, options.queueTimeoutMs, load));
  }

  onCallAborted(call: PoolCall, reason: unknown): void {
    if (call.isSettled) return;
    const { command } = call;
    const { name } = this.#parts;
    if (call.seat === undefined) {
      return this.#room.refuse(call, cancelled(command, name, reason, call.deliverySoFar));
    }
    call.stop('caller');
    call.fail(cancelled(command, name, reason, 'may-have-run'));
  }

  onListenerFailed(call: PoolCall, thrown: unknown): void {
    const message = `onProgress of '${call.command}' threw: ${toError(thrown).message}`;
    this.#parts.log({ level: 'error', pool: this.#parts.name, message });
  }

  toResult(call: PoolCall, value: unknown): unknown {
    const { contract } = call.profile;
    if (contract !== undefined) contract.checkResult(value, call.settings.validate);
    const { adapter } = this.#parts.options;
    if (adapter.processResponse === undefined) return value;
    try {
      return adapter.processResponse(call.command, value);
    } catch (error) {
      throw invalidResult(call.command, this.#parts.name, error);
    }
  }

  /** Takes a call off the worker that has just spoken of it. */
  #release(call: PoolCall): Seat<PoolCall> {
    return this.#placement.takeOff(call, call.seat?.channel.lastHeardAt ?? 0);
  }
}
