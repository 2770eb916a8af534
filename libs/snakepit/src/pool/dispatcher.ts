import type { ChannelCall } from '../channel/index.js';
import {
  DeadlineSweep,
  hasListeners,
  isSnakepitError,
  publish,
  SnakepitError,
  toError,
  type Clock,
  type LogSink,
  type Timer,
} from '../core/index.js';
import type { OrphanedCall, Worker } from '../worker/index.js';
import { Backlog } from './backlog.js';
import type { ResolvedPoolOptions } from './options.js';
import type { PoolCall, PoolCallOwner } from './pool-call.js';
import { cancelled, invalidArguments, invalidResult } from './pool-errors.js';
import { PoolCounters, WorkerCounters } from './pool-stats.js';
import { FAST_LANE_MS, Lane, Scheduler } from './scheduler.js';

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
  /** Why a call must not wait now, as when no worker can be expected; undefined when it may. */
  readonly refusal: () => SnakepitError | undefined;
}

/** A worker that takes calls. */
interface Seat {
  readonly worker: Worker;
  readonly lane: Lane;
  readonly counters: WorkerCounters;
  /** Calls that may run on this worker only: of sessions with strict affinity. */
  readonly pinned: Backlog;
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
  readonly #scheduler: Scheduler;
  readonly #deadlines: DeadlineSweep;
  readonly #backlog = new Backlog();
  readonly #seats = new Map<string, Seat>();
  readonly #counters = new WeakMap<Worker, WorkerCounters>();
  readonly #idleWaiters = new Set<() => void>();
  /** Runs while calls wait although a worker is idle. */
  #retry: Timer | undefined;
  #waiting = 0;
  #open = 0;
  #isClosed = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#clock = parts.clock;
    this.#scheduler = new Scheduler(parts.options);
    this.#deadlines = new DeadlineSweep(parts.clock);
  }

  /** Calls that wait for a worker. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Calls that are not yet over. */
  get open(): number {
    return this.#open;
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
    this.#open += 1;
    const now = call.admittedAt;
    const seat = this.#seatFor(call, now);
    if (seat !== undefined && this.#dispatch(call, seat, now)) return this.#deadlines.watch(call);
    if (!call.isSettled) this.#enqueue(call, now);
  }

  /** Resolves when no call is open. */
  idle(): { readonly reached: Promise<void>; readonly giveUp: () => void } {
    if (this.#open === 0) return { reached: Promise.resolve(), giveUp: () => {} };
    const { promise, resolve } = deferred();
    const giveUp = (): void => {
      this.#idleWaiters.delete(giveUp);
      resolve();
    };
    this.#idleWaiters.add(giveUp);
    return { reached: promise, giveUp };
  }

  /** Fails all calls that wait. */
  failWaiting(error: () => SnakepitError): void {
    const backlogs = [this.#backlog, ...[...this.#seats.values()].map((seat) => seat.pinned)];
    for (const call of backlogs.flatMap((backlog) => backlog.calls())) {
      if (call.isSettled) continue;
      this.#stopWaiting(call);
      this.#refuse(call, error());
    }
  }

  /** Fails what waits and watches no more deadlines. Calls in workers' hands are settled as the workers end. */
  close(): void {
    this.#isClosed = true;
    this.failWaiting(() => this.#closedError('not-started'));
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
    const lane = new Lane(worker.id, channel.maxInFlight, budgetUs);
    const counters = new WorkerCounters();
    this.#counters.set(worker, counters);
    this.#seats.set(worker.id, { worker, lane, counters, pinned: new Backlog() });
    this.#scheduler.add(lane);
    this.#pump();
  }

  unseat(worker: Worker): void {
    const seat = this.#seats.get(worker.id);
    if (seat === undefined) return;
    this.#seats.delete(worker.id);
    this.#scheduler.remove(seat.lane);
    for (const call of seat.pinned.calls()) {
      this.#stopWaiting(call);
      const details = { session: call.session, pool: this.#parts.name, reason: 'gone' };
      this.#refuse(call, new SnakepitError('SESSION_WORKER_UNAVAILABLE', details));
    }
    this.#pump();
  }

  /** The worker's channel is full, or has room again. */
  setRoom(worker: Worker, hasRoom: boolean): void {
    const seat = this.#seats.get(worker.id);
    if (seat === undefined) return;
    seat.lane.hasRoom = hasRoom;
    if (hasRoom) this.#pump();
  }

  /** Settles what a worker did not get to answer: started over where that is safe, failed elsewhere. */
  callsLost(calls: readonly OrphanedCall[], error: (call: ChannelCall) => SnakepitError): void {
    const again: PoolCall[] = [];
    for (const { call: orphan, wasWritten } of calls) {
      const call = orphan as PoolCall;
      this.#takeOff(call);
      if (call.isSettled) this.#leave();
      else if (this.#isClosed) call.fail(this.#closedError(wasWritten ? 'may-have-run' : 'not-started'));
      else if (this.#mayRunAgain(call, wasWritten)) again.push(call);
      else call.fail(error(call));
    }
    // Each goes to the front, so the oldest has to go last.
    for (const call of again.toSorted((a, b) => b.admittedAt - a.admittedAt)) this.#requeue(call);
  }

  // ---- placing ---------------------------------------------------------------------------------------------------

  /** The seat that takes the call now; undefined when it has to wait, or was refused. */
  #seatFor(call: PoolCall, now: number): Seat | undefined {
    const home = this.#homeOf(call);
    if (home === undefined) return this.#anySeat(call, now);
    if (this.#scheduler.canTake(home.lane, call.profile, now)) return home;
    const { options, name } = this.#parts;
    switch (options.affinity) {
      case 'hint':
        return this.#anySeat(call, now);
      case 'strict-queue':
        return undefined;
      case 'strict-fail-fast': {
        const details = { session: call.session, pool: name, reason: 'busy' };
        this.#refuse(call, new SnakepitError('SESSION_WORKER_UNAVAILABLE', details));
        return undefined;
      }
    }
  }

  #anySeat(call: PoolCall, now: number): Seat | undefined {
    const lane = this.#scheduler.pick(call.profile, now);
    return lane && this.#seats.get(lane.workerId);
  }

  /** The seat of the worker that the call's session was last on, if that worker still takes calls. */
  #homeOf(call: PoolCall): Seat | undefined {
    if (call.session === undefined) return undefined;
    const workerId = this.#parts.affinity.lastWorkerOf(call.session);
    return workerId === undefined ? undefined : this.#seats.get(workerId);
  }

  #enqueue(call: PoolCall, now: number): void {
    const { options, name, refusal } = this.#parts;
    const refused = refusal();
    if (refused !== undefined) return this.#refuse(call, refused);
    if (this.#waiting >= options.maxQueue) {
      const details = { pool: name, maxQueue: options.maxQueue, ...this.#load() };
      return this.#refuse(call, new SnakepitError('POOL_SATURATED', details));
    }
    const home = options.affinity === 'strict-queue' ? this.#homeOf(call) : undefined;
    (home?.pinned ?? this.#backlog).push(call);
    this.#waiting += 1;
    call.expiresAt = Math.min(call.deadline, now + options.queueTimeoutMs);
    this.#deadlines.watch(call);
    this.#retryLater();
  }

  /** Hands a call to a worker; false when it cannot be sent, which its caller then knows. */
  #dispatch(call: PoolCall, { worker, lane }: Seat, now: number): boolean {
    const channel = worker.channel;
    if (channel === undefined) throw new Error(`worker '${worker.id}' has a seat but no channel`);
    try {
      const id = channel.send(call);
      call.placement = { worker, lane, id, bookedUs: this.#scheduler.begin(lane, call.profile, now) };
    } catch (error) {
      this.#refuse(call, isSnakepitError(error) ? error : invalidArguments(call.command, this.#parts.name, error));
      return false;
    }
    call.startedAt ??= now;
    call.workerId = worker.id;
    call.attempts += 1;
    call.expiresAt = call.deadline;
    if (call.session !== undefined) this.#parts.affinity.rememberWorker(call.session, worker.id);
    return true;
  }

  /** Gives waiting calls to workers for as long as some worker takes one. */
  #pump(): void {
    if (this.#waiting === 0) return;
    const now = this.#clock.now();
    for (const seat of this.#seats.values()) {
      if (seat.pinned.size === 0) continue;
      seat.pinned.drainInto((call) => {
        if (!this.#scheduler.canTake(seat.lane, call.profile, now)) return false;
        return this.#unqueue(call, seat, now);
      });
    }
    this.#backlog.drainInto((call) => {
      const seat = this.#seatFor(call, now);
      return seat !== undefined && this.#unqueue(call, seat, now);
    });
    this.#retryLater();
  }

  /**
   * A slow call may wait beside an idle worker that is kept for fast ones. When those stop coming no event tells, so that
   * time has to.
   */
  #retryLater(): void {
    if (this.#retry !== undefined || this.#waiting === 0) return;
    if (!this.#scheduler.lanes.some((lane) => lane.inFlight === 0)) return;
    this.#retry = this.#clock.after(FAST_LANE_MS, () => {
      this.#retry = undefined;
      this.#pump();
    });
  }

  /** Takes a waiting call off its queue and hands it to a worker; true in any case: the call waits no more. */
  #unqueue(call: PoolCall, seat: Seat, now: number): true {
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

  #mayRunAgain(call: PoolCall, wasWritten: boolean): boolean {
    if (call.chunks > 0) return false;
    return !wasWritten || (call.isIdempotent && call.attempts < this.#parts.options.maxAttempts);
  }

  #requeue(call: PoolCall): void {
    this.#backlog.pushFront(call);
    this.#waiting += 1;
    call.expiresAt = call.deadline;
    this.#deadlines.watch(call);
  }

  // ---- endings ---------------------------------------------------------------------------------------------------

  onReleased(call: PoolCall, serviceUs: number, hasFailed: boolean): void {
    const worker = this.#takeOff(call);
    // A failure may have come before the work: it tells only how long a command takes at least.
    if (!hasFailed || serviceUs > call.profile.estimateUs) call.profile.learn(serviceUs);
    const counters = this.#counters.get(worker);
    if (counters !== undefined) {
      counters.requests += 1;
      counters.totalTimeUs += serviceUs;
      if (hasFailed) counters.errors += 1;
    }
    if (call.isSettled) this.#leave();
    if (worker.state.kind === 'draining') worker.leaveIfIdle();
    this.#pump();
  }

  onSettled(call: PoolCall, error: SnakepitError | undefined): void {
    this.totals.onSettled(error?.code);
    if (call.placement === undefined) this.#leave();
    if (hasListeners('snakepit:call')) this.#publish(call, error);
  }

  onCallExpired(call: PoolCall, nowMs: number): void {
    if (call.placement === undefined) return this.#expireWaiting(call, nowMs);
    const { command, timeoutMs, placement } = call;
    const { name: pool, options, log } = this.#parts;
    const worker = placement.worker.id;
    if (call.isOverdue) {
      const message = `'${command}' still runs ${options.cancelGraceMs} ms after its deadline; its worker is killed and replaced`;
      log({ level: 'error', pool, worker, message });
      return placement.worker.kill('hung');
    }
    call.isOverdue = true;
    call.stop('deadline');
    call.expiresAt = nowMs + options.cancelGraceMs;
    this.#deadlines.watch(call);
    const waitedMs = Math.round((call.startedAt ?? nowMs) - call.admittedAt);
    call.fail(new SnakepitError('CALL_TIMEOUT', { command, pool, timeoutMs, waitedMs, worker }));
  }

  #expireWaiting(call: PoolCall, nowMs: number): void {
    const { command, timeoutMs } = call;
    const { name: pool, options } = this.#parts;
    const waitedMs = Math.round(nowMs - call.admittedAt);
    this.#stopWaiting(call);
    if (nowMs >= call.deadline) {
      const details = { command, pool, timeoutMs, waitedMs };
      return call.fail(new SnakepitError('CALL_TIMEOUT', details, { delivery: call.deliverySoFar }));
    }
    const details = { command, pool, waitedMs, queueTimeoutMs: options.queueTimeoutMs, ...this.#load() };
    call.fail(new SnakepitError('QUEUE_TIMEOUT', details));
  }

  onCallAborted(call: PoolCall, reason: unknown): void {
    if (call.isSettled) return;
    const { command } = call;
    const { name } = this.#parts;
    if (call.placement === undefined) {
      this.#stopWaiting(call);
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

  /** Fails a call that no worker holds. */
  #refuse(call: PoolCall, error: SnakepitError): void {
    this.#deadlines.forget(call);
    call.fail(error);
  }

  /** Ends a call's time on its worker. */
  #takeOff(call: PoolCall): Worker {
    const { placement } = call;
    if (placement === undefined) throw new Error(`'${call.command}' was ended by a worker that does not hold it`);
    call.placement = undefined;
    this.#scheduler.end(placement.lane, placement.bookedUs, this.#clock.now());
    this.#deadlines.forget(call);
    return placement.worker;
  }

  #leave(): void {
    this.#open -= 1;
    if (this.#open === 0) for (const reached of this.#idleWaiters) reached();
  }

  #closedError(delivery: 'not-started' | 'may-have-run'): SnakepitError {
    return new SnakepitError('POOL_CLOSED', { pool: this.#parts.name }, { delivery });
  }

  #load(): { queued: number; busy: number; workers: number } {
    const { lanes } = this.#scheduler;
    return { queued: this.#waiting, busy: lanes.filter((lane) => lane.inFlight > 0).length, workers: lanes.length };
  }

  #publish(call: PoolCall, error: SnakepitError | undefined): void {
    const now = this.#clock.now();
    publish('snakepit:call', {
      pool: this.#parts.name,
      worker: call.workerId,
      command: call.command,
      kind: call.kind,
      session: call.session,
      durationMs: now - call.admittedAt,
      queuedMs: (call.startedAt ?? now) - call.admittedAt,
      error: error?.code,
    });
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
