import type { ChannelCall } from '../channel/index.js';
import {
  DeadlineSweep,
  hasListeners,
  isSnakepitError,
  SnakepitError,
  toError,
  type Clock,
  type LogSink,
  type Timer,
} from '../core/index.js';
import { leavesInPeace, type ExitCause, type OrphanedCall, type Worker } from '../worker/index.js';
import { Backlog, precedes } from './backlog.js';
import { publishCall } from './call-events.js';
import { CrashBarrier } from './crash-barrier.js';
import { OpenCalls } from './open-calls.js';
import type { ResolvedPoolOptions } from './options.js';
import type { PoolCall, PoolCallOwner } from './pool-call.js';
import {
  callTimeout,
  cancelled,
  closed,
  invalidArguments,
  invalidResult,
  lostToHungWorker,
  queueTimeout,
  saturated,
  sessionWorkerUnavailable,
  type PoolLoad,
} from './pool-errors.js';
import { PoolCounters, WorkerCounters } from './pool-stats.js';
import { FAST_LANE_MS, Scheduler, type Lane } from './scheduler.js';
import { Seat } from './seat.js';

/** How long a worker in which a command hangs may take to give back the calls it has not begun. */
const RECALL_MS = 100;

/** Which worker a session was last on; the session service keeps it. */
export interface SessionAffinity {
  lastWorkerOf(session: string): string | undefined;
  rememberWorker(session: string, workerId: string): void;
}

export interface DispatcherParts {
  readonly name: string;
  readonly options: ResolvedPoolOptions;
  readonly affinity: SessionAffinity;
  readonly clock: Clock;
  readonly log: LogSink;
  /** Runs a task when what is being done is done, and before callers go on: `process.nextTick`. */
  readonly soon: (task: () => void) => void;
  /** Why a call must not wait now, as when no worker can be expected; undefined when it may. */
  readonly refusal: () => SnakepitError | undefined;
}

/**
 * The middle of the river: gives calls to workers or lets them wait, and sees every one of them to its end.
 *
 * A call is here from {@link admit} until it is both settled and released; it waits in exactly one backlog, or is placed on
 * exactly one worker, or is over.
 */
export class Dispatcher implements PoolCallOwner {
  readonly totals = new PoolCounters();

  readonly #parts: DispatcherParts;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler<Seat<PoolCall>>;
  readonly #deadlines: DeadlineSweep;
  readonly #barrier: CrashBarrier;
  readonly #backlog = new Backlog<PoolCall>();
  readonly #seats = new Map<string, Seat<PoolCall>>();
  readonly #counters = new WeakMap<Worker, WorkerCounters>();
  readonly #open = new OpenCalls();
  /** Runs while calls wait although a worker is idle. */
  #retry: Timer | undefined;
  #isPumpDue = false;
  #waiting = 0;
  #isClosed = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#clock = parts.clock;
    this.#scheduler = new Scheduler(parts.options);
    this.#deadlines = new DeadlineSweep(parts.clock);
    this.#barrier = new CrashBarrier({ ...parts, pool: parts.name, settings: parts.options.taint });
  }

  /** Calls that wait for a worker. */
  get waiting(): number {
    return this.#waiting;
  }

  /** How many calls wait for any worker, and how long the oldest of them has. */
  waitForAny(nowMs: number): { readonly queued: number; readonly oldestWaitMs: number } {
    return { queued: this.#backlog.size, oldestWaitMs: nowMs - (this.#backlog.oldestAdmittedAt ?? nowMs) };
  }

  /** How many workers the calls in hand keep busy; one that could take more slow calls counts as a part of one. */
  get busyWorkers(): number {
    const { concurrency } = this.#parts.options;
    const share = ({ inFlight, exclusive, maxInFlight }: Lane): number =>
      exclusive > 0 ? exclusive / Math.min(concurrency, maxInFlight) : Math.min(inFlight, 1);
    return this.lanes.reduce((sum, lane) => sum + share(lane), 0);
  }

  /** Calls that are not yet over. */
  get open(): number {
    return this.#open.count;
  }

  get lanes(): readonly Lane[] {
    return this.#scheduler.lanes;
  }

  /** Workers that take calls. */
  *workers(): IterableIterator<Worker> {
    for (const seat of this.#seats.values()) yield seat.worker;
  }

  countersOf(worker: Worker): WorkerCounters {
    return this.#counters.get(worker) ?? new WorkerCounters();
  }

  /** Takes a call in: a worker gets it now, or it waits, or it is refused. */
  admit(call: PoolCall): void {
    this.#open.enter();
    if (call.profile.taint !== undefined) {
      const tainted = this.#barrier.refusal(call);
      if (tainted !== undefined) return this.#refuse(call, tainted);
    }
    const now = call.admittedAt;
    // Those who waited come first; time alone may have made room for them.
    if (this.#isPumpDue || (this.#retry !== undefined && !this.#scheduler.hasFastTraffic(now))) this.#pump();
    const seat = this.#mustQueue(call) ? undefined : this.#seatFor(call, now);
    if (seat !== undefined && this.#dispatch(call, seat, now)) return this.#deadlines.watch(call);
    if (!call.isSettled) this.#enqueue(call, now);
  }

  /** Resolves when no call is open. */
  idle(): { readonly reached: Promise<void>; readonly giveUp: () => void } {
    return this.#open.none();
  }

  /** Fails all calls that wait, or those that are `meant`. */
  failWaiting(error: () => SnakepitError, meant: (call: PoolCall) => boolean = () => true): void {
    const backlogs = [this.#backlog, ...[...this.#seats.values()].map((seat) => seat.pinned)];
    for (const call of backlogs.flatMap((backlog) => backlog.calls())) {
      if (!call.isSettled && meant(call)) this.#refuse(call, error());
    }
  }

  /** Fails what waits and watches no more deadlines. Calls in workers' hands are settled as the workers end. */
  close(): void {
    this.#isClosed = true;
    this.failWaiting(() => closed(this.#parts.name, 'not-started'));
  }

  /** To be called when all workers are gone. */
  dispose(): void {
    this.#retry?.cancel();
    this.#deadlines.close();
  }

  // ---- workers come and go ---------------------------------------------------------------------------------------

  seat(worker: Worker): void {
    const channel = worker.channel;
    if (channel === undefined) throw new Error(`worker '${worker.id}' is ready without a channel`);
    const budgetUs = this.#parts.options.pipelineBudgetUs ?? channel.pipelineBudgetUs;
    const seat = new Seat<PoolCall>(worker, channel, budgetUs);
    this.#counters.set(worker, seat.counters);
    this.#seats.set(worker.id, seat);
    this.#scheduler.add(seat);
    this.#pump();
  }

  unseat(worker: Worker): void {
    const seat = this.#seats.get(worker.id);
    if (seat === undefined) return;
    this.#seats.delete(worker.id);
    this.#scheduler.remove(seat);
    const pinned = seat.pinned.calls();
    if (leavesInPeace(worker.state)) return this.#findNewHomes(pinned);
    for (const call of pinned) {
      if (!call.isSettled) this.#refuse(call, sessionWorkerUnavailable(this.#parts.name, call, 'gone'));
    }
    this.#pump();
  }

  /** Lets calls that waited for one worker wait for any; the first of a session to find one takes the others along. */
  #findNewHomes(calls: readonly PoolCall[]): void {
    // Each goes to the front, so the oldest has to go last.
    for (const call of calls.toSorted((a, b) => b.admittedAt - a.admittedAt)) {
      Backlog.remove(call);
      this.#backlog.pushFront(call);
    }
    this.#pump();
  }

  /** The worker's channel is full, or has room again. */
  setRoom(worker: Worker, hasRoom: boolean): void {
    const seat = this.#seats.get(worker.id);
    if (seat === undefined) return;
    seat.hasRoom = hasRoom;
    if (hasRoom) this.#pump();
  }

  /** Settles what a worker did not get to answer: started over where that is safe, failed elsewhere. */
  callsLost(calls: readonly OrphanedCall[], error: (call: ChannelCall) => SnakepitError, cause?: ExitCause): void {
    if (cause !== undefined) this.#blame(calls, cause);
    const again: PoolCall[] = [];
    const now = this.#clock.now();
    for (const { call: orphan, wasWritten } of calls) {
      const call = orphan as PoolCall;
      this.#takeOff(call, now);
      if (wasWritten) call.mayHaveRun = true;
      else call.attempts -= 1;
      if (call.isSettled) this.#open.leave();
      else if (this.#isClosed) call.fail(closed(this.#parts.name, call.deliverySoFar));
      else if (this.#mayRunAgain(call, wasWritten)) again.push(call);
      else call.fail(call.overdueError ?? error(call));
    }
    // Each goes to the front, so the oldest has to go last.
    for (const call of again.toSorted((a, b) => b.admittedAt - a.admittedAt)) this.#requeue(call);
  }

  /** A command that this death has tainted is not given to another worker: its waiting calls are refused. */
  #blame(calls: readonly OrphanedCall[], cause: ExitCause): void {
    const inHand = calls.filter(({ wasWritten }) => wasWritten).map(({ call }) => call as PoolCall);
    const tainted = this.#barrier.onDeath(inHand, cause);
    if (tainted !== undefined) this.failWaiting(tainted.error, ({ profile }) => profile === tainted.profile);
  }

  // ---- placing ---------------------------------------------------------------------------------------------------

  /**
   * Whether others wait before it for whichever worker is free. Where one of them needs more than the worker at hand can take, calls
   * that need less would otherwise pass it by for as long as they come.
   */
  #mustQueue(call: PoolCall): boolean {
    if (this.#waiting === 0 || !this.#backlog.hasBefore(call)) return false;
    return this.#parts.options.affinity === 'hint' || this.#homeOf(call) === undefined;
  }

  /** The seat that takes the call now; undefined when it has to wait, or was refused. */
  #seatFor(call: PoolCall, now: number): Seat<PoolCall> | undefined {
    const home = this.#homeOf(call);
    if (home === undefined) return this.#scheduler.pick(call.profile, now);
    if (this.#scheduler.canTake(home, call.profile, now)) return home;
    const { options, name } = this.#parts;
    switch (options.affinity) {
      case 'hint':
        return this.#scheduler.pick(call.profile, now);
      case 'strict-queue':
        return undefined;
      case 'strict-fail-fast':
        this.#refuse(call, sessionWorkerUnavailable(name, call, 'busy'));
        return undefined;
    }
  }

  /** The seat of the worker that the call's session was last on, if that worker still takes calls. */
  #homeOf(call: PoolCall): Seat<PoolCall> | undefined {
    const { session } = call.settings;
    if (session === undefined) return undefined;
    const workerId = this.#parts.affinity.lastWorkerOf(session);
    return workerId === undefined ? undefined : this.#seats.get(workerId);
  }

  #enqueue(call: PoolCall, now: number): void {
    const { options, name, refusal } = this.#parts;
    const refused = refusal();
    if (refused !== undefined) return this.#refuse(call, refused);
    if (this.#waiting >= options.maxQueue) {
      return this.#refuse(call, saturated(name, options.maxQueue, this.#load()));
    }
    const home = options.affinity === 'strict-queue' ? this.#homeOf(call) : undefined;
    (home?.pinned ?? this.#backlog).push(call);
    this.#waiting += 1;
    call.expiresAt = Math.min(call.deadline, now + options.queueTimeoutMs);
    this.#deadlines.watch(call);
    this.#retryLater();
  }

  /** Hands a call to a worker; false when it cannot be sent, which its caller then knows. */
  #dispatch(call: PoolCall, seat: Seat<PoolCall>, now: number): boolean {
    try {
      call.channelId = seat.channel.send(call, now);
    } catch (error) {
      this.#refuse(call, isSnakepitError(error) ? error : invalidArguments(call.command, this.#parts.name, error));
      return false;
    }
    const { session } = call.settings;
    call.seat = seat;
    call.bookedUs = this.#scheduler.begin(seat, call.profile, now);
    call.startedAt ??= now;
    call.workerId = seat.workerId;
    call.attempts += 1;
    call.expiresAt = call.deadline;
    if (session !== undefined) this.#parts.affinity.rememberWorker(session, seat.workerId);
    return true;
  }

  /** Answers come in chunks: the room that all answers of one chunk make is given away at once, when the chunk is read. */
  #pumpSoon(): void {
    if (this.#isPumpDue || this.#waiting === 0) return;
    this.#isPumpDue = true;
    this.#parts.soon(this.#pumpIfDue);
  }

  readonly #pumpIfDue = (): void => {
    if (this.#isPumpDue) this.#pump();
  };

  /** Gives waiting calls to workers for as long as some worker takes one. */
  #pump(): void {
    this.#isPumpDue = false;
    if (this.#waiting === 0) return;
    const now = this.#clock.now();
    // A worker that sessions keep busy is also for the call that came before theirs and may go anywhere.
    this.#pumpPinned(now, this.#backlog.first());
    this.#backlog.drainInto((call) => {
      const seat = this.#seatFor(call, now);
      if (seat !== undefined) return this.#unqueue(call, seat, now);
      return call.isSettled || this.#waitAtHome(call);
    });
    this.#pumpPinned(now, undefined);
    if (needsIdleWorker(this.#backlog.first())) this.#scheduler.claim(now);
    this.#retryLater();
  }

  /** Gives workers the calls that wait for them alone, where these come before `rival`. */
  #pumpPinned(now: number, rival: PoolCall | undefined): void {
    for (const seat of this.#seats.values()) {
      if (seat.pinned.size === 0) continue;
      seat.pinned.drainInto((call) => {
        if (rival !== undefined && precedes(rival, call)) return false;
        if (!this.#scheduler.canTake(seat, call.profile, now)) return false;
        return this.#unqueue(call, seat, now);
      });
      if (rival === undefined && needsIdleWorker(seat.pinned.first())) this.#scheduler.claim(now, seat);
    }
  }

  /**
   * A slow call may wait beside an idle worker that is kept for fast ones. When those stop coming no event tells, so that
   * time has to.
   */
  #retryLater(): void {
    if (this.#retry !== undefined || this.#waiting === 0 || this.#isClosed) return;
    if (!this.#scheduler.lanes.some((lane) => lane.inFlight === 0)) return;
    const waitMs = this.#scheduler.keptFreeForMs(this.#clock.now()) || FAST_LANE_MS;
    this.#retry = this.#clock.after(waitMs, () => {
      this.#retry = undefined;
      this.#pump();
    });
  }

  /** A command has become fast, or slow: its waiting calls must not hold up those of the queue they no longer belong to. */
  #refile(): void {
    this.#backlog.refile();
    for (const seat of this.#seats.values()) seat.pinned.refile();
  }

  /** Lets a waiting call of a session that has found a worker since wait for that one; false where it may go to any. */
  #waitAtHome(call: PoolCall): boolean {
    const home = this.#parts.options.affinity === 'strict-queue' ? this.#homeOf(call) : undefined;
    if (home === undefined) return false;
    Backlog.remove(call);
    home.pinned.push(call);
    return true;
  }

  /** Takes a waiting call off its queue and hands it to a worker; true in any case: the call waits no more. */
  #unqueue(call: PoolCall, seat: Seat<PoolCall>, now: number): true {
    this.#stopWaiting(call);
    this.#dispatch(call, seat, now);
    return true;
  }

  /** Without effect on a call that waits no more: a listener that was told of one call may have cancelled another. */
  #stopWaiting(call: PoolCall): void {
    if (call.queue === undefined) return;
    Backlog.remove(call);
    this.#waiting -= 1;
  }

  #mayRunAgain(call: PoolCall, hasRun: boolean): boolean {
    if (call.chunks > 0 || call.isOverdue || call.profile.taint?.isTainted) return false;
    return !hasRun || (call.settings.isIdempotent && call.attempts < this.#parts.options.maxAttempts);
  }

  #requeue(call: PoolCall): void {
    call.recalledFor = undefined;
    this.#backlog.pushFront(call);
    this.#waiting += 1;
    call.expiresAt = call.deadline;
    this.#deadlines.watch(call);
  }

  // ---- endings ---------------------------------------------------------------------------------------------------

  onReleased(call: PoolCall, serviceUs: number, hasFailed: boolean): void {
    const { profile } = call;
    const seat = this.#seatOf(call);
    const { worker, counters, channel } = seat;
    this.#takeOff(call, channel.lastHeardAt);
    const paceBefore = profile.pace;
    profile.learn(serviceUs, hasFailed);
    if (profile.pace !== paceBefore && this.#waiting > 0) this.#refile();
    counters.requests += 1;
    counters.totalTimeUs += serviceUs;
    if (hasFailed) counters.errors += 1;
    // What failed in no time may not have begun.
    if (profile.taint !== undefined && !(hasFailed && serviceUs === 0)) this.#barrier.onSurvival(call);
    if (call.isSettled) this.#open.leave();
    if (worker.state.kind === 'draining') worker.leaveIfIdle();
    this.#pumpSoon();
  }

  onSettled(call: PoolCall, error: SnakepitError | undefined): void {
    this.totals.onSettled(error?.code);
    if (call.seat === undefined) this.#open.leave();
    if (hasListeners('snakepit:call')) publishCall(this.#parts.name, call, this.#clock.now(), error);
  }

  onCallExpired(call: PoolCall, nowMs: number): void {
    const { command, seat } = call;
    if (seat === undefined) return this.#expireWaiting(call, nowMs);
    const { name: pool, options, log } = this.#parts;
    if (call.isOverdue) {
      const message = `'${command}' still runs ${options.cancelGraceMs} ms after its deadline; its worker is killed and replaced`;
      log({ level: 'error', pool, worker: seat.workerId, message });
      return this.#giveUp(seat, command);
    }
    call.isOverdue = true;
    call.stop('deadline');
    call.expiresAt = nowMs + options.cancelGraceMs;
    this.#deadlines.watch(call);
    this.#failOverdue(call, seat);
  }

  /** The caller gets its error with the stacks of the worker: at once where it cannot tell them, else some milliseconds later. */
  #failOverdue(call: PoolCall, { worker }: Seat<PoolCall>): void {
    const { name } = this.#parts;
    const until = call.startedAt ?? call.admittedAt;
    const error = callTimeout(name, call, until);
    const stacks = worker.dumpStacks();
    if (stacks === undefined) return call.fail(error);
    call.overdueError = error;
    void stacks.then((workerStacks) => {
      call.fail(
        workerStacks === undefined ? error : new SnakepitError('CALL_TIMEOUT', { ...error.details, workerStacks }),
      );
    });
  }

  /**
   * Ends a worker in which a command hangs. The calls beside it are asked back first: a worker that still reads, such as one whose
   * handler blocks only its main thread, tells which of them it has not begun, and those run elsewhere.
   */
  #giveUp({ worker, channel }: Seat<PoolCall>, hung: string): void {
    const others = channel.callsInFlight().filter((each) => !(each as PoolCall).isSettled) as PoolCall[];
    if (worker.state.kind === 'dead') return;
    if (others.length === 0) return worker.kill('hung');
    worker.drain('hung');
    for (const other of others) {
      other.recalledFor = hung;
      other.stop('caller');
    }
    worker.killAfter(RECALL_MS);
  }

  onRecalled(call: PoolCall, hasRun: boolean): void {
    const { worker, channel } = this.#seatOf(call);
    this.#takeOff(call, channel.lastHeardAt);
    if (hasRun) call.mayHaveRun = true;
    else call.attempts -= 1;
    const mayRunAgain = this.#mayRunAgain(call, hasRun) && !this.#isClosed;
    if (mayRunAgain) this.#requeue(call);
    else call.fail(lostToHungWorker(this.#parts.name, worker.id, call));
    worker.leaveIfIdle();
    this.#pumpSoon();
  }

  #expireWaiting(call: PoolCall, nowMs: number): void {
    const { name, options } = this.#parts;
    this.#stopWaiting(call);
    if (nowMs >= call.deadline) call.fail(callTimeout(name, call, nowMs));
    else call.fail(queueTimeout(name, call, nowMs - call.admittedAt, options.queueTimeoutMs, this.#load()));
  }

  onCallAborted(call: PoolCall, reason: unknown): void {
    if (call.isSettled) return;
    const { command } = call;
    const { name } = this.#parts;
    if (call.seat === undefined) {
      return this.#refuse(call, cancelled(command, name, reason, call.deliverySoFar));
    }
    call.stop('caller');
    call.fail(cancelled(command, name, reason, 'may-have-run'));
  }

  onListenerFailed(call: PoolCall, thrown: unknown): void {
    const message = `onProgress of '${call.command}' threw: ${toError(thrown).message}`;
    this.#parts.log({ level: 'error', pool: this.#parts.name, message });
  }

  toResult(call: PoolCall, value: unknown): unknown {
    const { adapter } = this.#parts.options;
    if (adapter.processResponse === undefined) return value;
    try {
      return adapter.processResponse(call.command, value);
    } catch (error) {
      throw invalidResult(call.command, this.#parts.name, error);
    }
  }

  /** Fails a call that no worker holds; one that waits does so no more. */
  #refuse(call: PoolCall, error: SnakepitError): void {
    this.#stopWaiting(call);
    this.#deadlines.forget(call);
    call.fail(error);
  }

  /** Where a call that its worker is through with is. */
  #seatOf(call: PoolCall): Seat<PoolCall> {
    if (call.seat === undefined) throw new Error(`'${call.command}' was ended by a worker that does not hold it`);
    return call.seat;
  }

  /** Ends a call's time on its worker. */
  #takeOff(call: PoolCall, now: number): void {
    const seat = this.#seatOf(call);
    call.seat = undefined;
    this.#scheduler.end(seat, call.bookedUs, now);
    this.#deadlines.forget(call);
  }

  #load(): PoolLoad {
    const { lanes } = this.#scheduler;
    return { queued: this.#waiting, busy: lanes.filter((lane) => lane.inFlight > 0).length, workers: lanes.length };
  }
}

function needsIdleWorker(call: PoolCall | undefined): boolean {
  return call !== undefined && call.profile.pace !== 'fast';
}
