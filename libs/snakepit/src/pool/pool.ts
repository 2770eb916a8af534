import type { CallKind, ChannelCall, CommandManifest, HostCall } from '../channel/index.js';
import {
  DeadlineSweep,
  hasListeners,
  isSnakepitError,
  publish,
  SnakepitError,
  toError,
  type Clock,
  type LogSink,
} from '../core/index.js';
import type { Adapter, OrphanedCall, Worker } from '../worker/index.js';
import { Backlog } from './backlog.js';
import { CommandProfile } from './command-profile.js';
import type { ResolvedPoolOptions } from './options.js';
import { PoolCall, type CallListener, type CallOptions, type PoolCallOwner } from './pool-call.js';
import { PoolCounters, WorkerCounters, type PoolStats, type PoolStatus, type WorkerInfo } from './pool-stats.js';
import { Lane, Scheduler } from './scheduler.js';
import { Supervisor, type SupervisorOwner } from './supervisor.js';

/** Which worker a session was last on; the session service keeps it. */
export interface SessionAffinity {
  lastWorkerOf(session: string): string | undefined;
  rememberWorker(session: string, workerId: string): void;
}

/** Answers what workers ask of their host; `session` is that of the asking call. */
export type HostCallHandler = (method: string, args: unknown, session: string | undefined) => Promise<unknown>;

export interface PoolParts {
  readonly name: string;
  readonly options: ResolvedPoolOptions;
  readonly instance: string;
  readonly hostEnv: NodeJS.ProcessEnv;
  readonly affinity: SessionAffinity;
  readonly onHostCall: HostCallHandler;
  readonly clock: Clock;
  readonly log: LogSink;
}

/** A stream in the making: what its consumer steers it by. */
export interface StreamHandle {
  /** Lets the worker send this many items more. */
  grant(chunks: number): void;
  cancel(): void;
}

/** A worker as the pool uses it. */
interface Seat {
  readonly worker: Worker;
  readonly lane: Lane;
  readonly counters: WorkerCounters;
  /** Calls that may run on this worker only: of sessions with strict affinity. */
  readonly pinned: Backlog;
}

type Life = 'new' | 'open' | 'draining' | 'closed';

/**
 * A number of workers behind one queue.
 *
 * The river of a call: {@link call} admits it, the scheduler picks a worker or it waits in the backlog, its worker's channel
 * carries it; the answer settles the call and makes room for the next.
 */
export class Pool implements PoolCallOwner, SupervisorOwner {
  readonly name: string;
  readonly options: ResolvedPoolOptions;

  readonly #parts: PoolParts;
  readonly #clock: Clock;
  readonly #adapter: Adapter;
  readonly #scheduler: Scheduler;
  readonly #supervisor: Supervisor;
  readonly #deadlines: DeadlineSweep;
  readonly #backlog = new Backlog();
  /** Seats of workers that take calls, by worker id. */
  readonly #seats = new Map<string, Seat>();
  /** Counters of all living workers. */
  readonly #counters = new Map<Worker, WorkerCounters>();
  readonly #profiles: Readonly<Record<CallKind, Map<string, CommandProfile>>> = { call: new Map(), stream: new Map() };
  readonly #totals = new PoolCounters();
  readonly #idleWaiters = new Set<() => void>();
  #waiting = 0;
  /** Admitted and not yet both settled and released. */
  #open = 0;
  #life: Life = 'new';
  #closing: Promise<void> | undefined;

  constructor(parts: PoolParts) {
    const { name, options, clock } = parts;
    this.name = name;
    this.options = options;
    this.#parts = parts;
    this.#clock = clock;
    this.#adapter = options.adapter;
    this.#scheduler = new Scheduler(options);
    this.#deadlines = new DeadlineSweep(clock);
    this.#supervisor = new Supervisor({ ...parts, pool: name, owner: this });
  }

  /**
   * Starts all workers and returns when each is ready or has failed.
   *
   * @throws SnakepitError when no worker became ready: command line, exit status, last stderr lines, what to do.
   */
  async start(): Promise<void> {
    if (this.#life !== 'new') throw new SnakepitError('MISUSE', { reason: `Pool '${this.name}' was started before.` });
    this.#life = 'open';
    try {
      await this.#supervisor.start();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Runs a command and returns its result.
   *
   * @throws SnakepitError; see the table of error codes.
   */
  execute(command: string, args: unknown, options: CallOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.call('call', command, args, options, new Unary(resolve, reject));
    });
  }

  /** Starts a stream; its worker suspends it when `streamCredit` items are on their way and none was granted. */
  stream(command: string, args: unknown, options: CallOptions, listener: CallListener): StreamHandle {
    const call = this.call('stream', command, args, options, listener);
    return {
      grant: (chunks) => {
        const placement = call?.placement;
        if (placement !== undefined && call?.isSettled === false) placement.worker.channel?.grant(placement.id, chunks);
      },
      cancel: () => {
        if (call !== undefined) this.onCallAborted(call, undefined);
      },
    };
  }

  /** Admits a call; the listener hears everything, refusals included. Returns undefined for a refused call. */
  call(
    kind: CallKind,
    command: string,
    args: unknown,
    options: CallOptions,
    listener: CallListener,
  ): PoolCall | undefined {
    this.#totals.requests += 1;
    let call: PoolCall;
    try {
      this.#assertOpen();
      options.signal?.throwIfAborted();
      const prepared = this.#prepareArgs(command, args);
      const timeoutMs = this.#timeoutOf(kind, command, prepared, options);
      const profile = this.#profileOf(kind, command);
      const admittedAt = this.#clock.now();
      call = new PoolCall({
        owner: this,
        command,
        args: prepared,
        kind,
        options,
        profile,
        admittedAt,
        timeoutMs,
        listener,
      });
    } catch (thrown) {
      const error = options.signal?.aborted ? cancelled(command, this.name, thrown) : (thrown as SnakepitError);
      this.#totals.onError(error.code);
      listener.onError(error);
      return undefined;
    }
    this.#open += 1;
    this.#place(call);
    return call.isSettled ? undefined : call;
  }

  /** Resolves when `count` workers (default: all) are ready. @throws SnakepitError POOL_NOT_READY after `timeoutMs`. */
  async ready(timeoutMs: number, count = this.#supervisor.size): Promise<void> {
    let isLate = false;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(timeoutMs, () => {
        isLate = true;
        resolve();
      });
      void this.#supervisor.untilReady(count).then(() => {
        timer.cancel();
        resolve();
      });
    });
    if (!isLate && this.#life === 'open') return;
    const reason = `after ${timeoutMs} ms ${this.#supervisor.readyCount} of ${count} workers are ready`;
    throw new SnakepitError('POOL_NOT_READY', { pool: this.name, reason }, { cause: this.#supervisor.lastFailure });
  }

  /** Changes the number of workers; those that go finish their calls first. */
  resize(size: number): void {
    if (!Number.isInteger(size) || size < 1 || size > 1024) {
      throw new SnakepitError('INVALID_OPTIONS', {
        reason: `'size' is ${size}; allowed is an integer from 1 to 1024.`,
      });
    }
    this.#assertOpen();
    this.#supervisor.resize(size);
  }

  /** Replaces one worker, or all of them one after the other; a replacement is ready before its predecessor leaves. */
  async restart(workerId?: string): Promise<void> {
    this.#assertOpen();
    if (workerId === undefined) return this.#supervisor.replaceAll('restart');
    const worker = [...this.#supervisor.workers].find(({ id }) => id === workerId);
    if (worker === undefined) {
      const known = [...this.#supervisor.workers].map(({ id }) => id).join(', ');
      throw new SnakepitError('INVALID_ARGUMENTS', {
        command: 'restart',
        reason: `no worker '${workerId}' (there are ${known})`,
      });
    }
    return this.#supervisor.replace(worker, 'restart');
  }

  /** Takes no more calls and returns when those it has are through, or after `drainTimeoutMs`. */
  async drain(): Promise<void> {
    if (this.#life === 'new' || this.#life === 'open') this.#life = 'draining';
    if (this.#open === 0) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#idleWaiters.delete(done);
        resolve();
      };
      const timer = this.#clock.after(this.options.drainTimeoutMs, done);
      this.#idleWaiters.add(done);
    });
  }

  /** Drains, fails what is left with POOL_CLOSED and ends all workers; no process and no timer is left then. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.drain();
    this.#life = 'closed';
    for (const call of this.#takeWaiting(() => true)) {
      call.fail(new SnakepitError('POOL_CLOSED', { pool: this.name }));
    }
    for (const worker of this.#supervisor.workers) if ((worker.channel?.inFlight ?? 0) > 0) worker.kill('close');
    await this.#supervisor.close(this.options.killGraceMs);
    this.#deadlines.close();
  }

  get status(): PoolStatus {
    const ready = this.#seats.size;
    if (this.#life !== 'open' || ready === 0) return 'down';
    return ready < this.#supervisor.size ? 'degraded' : 'up';
  }

  /** Why the latest worker that could not start did not; undefined while all is well. */
  get lastFailure(): SnakepitError | undefined {
    return this.status === 'up' ? undefined : this.#supervisor.lastFailure;
  }

  /** The commands of the workers, where they tell them; undefined where they do not, or none is ready. */
  get commands(): readonly CommandManifest[] | undefined {
    for (const { worker } of this.#seats.values()) return worker.channel?.manifest.commands;
    return undefined;
  }

  workers(): WorkerInfo[] {
    const now = this.#clock.now();
    return [...this.#supervisor.workers].map((worker) => {
      const manifest = worker.channel?.manifest;
      const counters = this.#counters.get(worker) ?? new WorkerCounters();
      return {
        id: worker.id,
        pid: worker.pid,
        state: worker.state.kind,
        inFlight: worker.channel?.inFlight ?? 0,
        requests: counters.requests,
        errors: counters.errors,
        totalTimeMs: counters.totalTimeUs / 1_000,
        uptimeMs: now - worker.startedAt,
        language: manifest?.language,
        runtime: manifest?.runtime && `${manifest.runtime.name} ${manifest.runtime.version}`,
        codec: manifest?.codec,
      };
    });
  }

  stats(): PoolStats {
    const { requests, succeeded, errors, errorsByCode } = this.#totals;
    const lanes = this.#scheduler.lanes;
    const busy = lanes.filter((lane) => lane.inFlight > 0).length;
    return {
      pool: this.name,
      status: this.status,
      size: this.#supervisor.size,
      workers: this.#supervisor.workers.size,
      available: lanes.length - busy,
      busy,
      queued: this.#waiting,
      inFlight: lanes.reduce((sum, lane) => sum + lane.inFlight, 0),
      requests,
      succeeded,
      errors,
      errorsByCode: { ...errorsByCode },
      queueTimeouts: errorsByCode.QUEUE_TIMEOUT ?? 0,
      saturated: errorsByCode.POOL_SATURATED ?? 0,
      restarts: this.#supervisor.restarts,
      pids: [...this.#supervisor.workers].flatMap(({ pid }) => pid ?? []),
    };
  }

  /** Tells all workers that a session is over. */
  sessionClosed(session: string): void {
    for (const { worker } of this.#seats.values()) worker.channel?.sessionClosed(session);
  }

  // ---- placing calls -------------------------------------------------------------------------------------------

  #place(call: PoolCall): void {
    const now = call.admittedAt;
    const seat = this.#seatFor(call, now);
    if (seat !== undefined && this.#dispatch(call, seat, now)) {
      this.#deadlines.watch(call);
      return;
    }
    if (!call.isSettled) this.#enqueue(call, now);
  }

  /** The seat that takes the call now; undefined when it has to wait, or was refused. */
  #seatFor(call: PoolCall, now: number): Seat | undefined {
    const home = this.#homeOf(call);
    if (home === undefined) {
      const lane = this.#scheduler.pick(call.profile, now);
      return lane && this.#seats.get(lane.workerId);
    }
    if (this.#scheduler.canTake(home.lane, call.profile, now)) return home;
    switch (this.options.affinity) {
      case 'hint': {
        const lane = this.#scheduler.pick(call.profile, now);
        return lane && this.#seats.get(lane.workerId);
      }
      case 'strict-queue':
        return undefined;
      case 'strict-fail-fast':
        this.#refuse(
          call,
          new SnakepitError('SESSION_WORKER_UNAVAILABLE', { session: call.session, pool: this.name, reason: 'busy' }),
        );
        return undefined;
    }
  }

  /** The seat of the worker that the call's session was last on, if that worker still takes calls. */
  #homeOf(call: PoolCall): Seat | undefined {
    if (call.session === undefined) return undefined;
    const workerId = this.#parts.affinity.lastWorkerOf(call.session);
    return workerId === undefined ? undefined : this.#seats.get(workerId);
  }

  #enqueue(call: PoolCall, now: number): void {
    if (this.#seats.size === 0 && this.#supervisor.isExhausted) return this.#refuse(call, this.#notReady());
    if (this.#waiting >= this.options.maxQueue) return this.#refuse(call, this.#saturated());
    const home = this.options.affinity === 'strict-queue' ? this.#homeOf(call) : undefined;
    (home?.pinned ?? this.#backlog).push(call);
    this.#waiting += 1;
    call.expiresAt = Math.min(call.deadline, now + this.options.queueTimeoutMs);
    this.#deadlines.watch(call);
  }

  /** Hands a call to a worker; false when the call cannot be sent, which its caller then knows. */
  #dispatch(call: PoolCall, seat: Seat, now: number): boolean {
    const { worker, lane } = seat;
    const channel = worker.channel;
    if (channel === undefined) throw new Error(`worker '${worker.id}' has a seat but no channel`);
    try {
      const id = channel.send(call);
      call.placement = { worker, lane, id, bookedUs: this.#scheduler.begin(lane, call.profile, now) };
    } catch (error) {
      this.#refuse(call, isSnakepitError(error) ? error : invalidArguments(call.command, this.name, error));
      return false;
    }
    call.startedAt ??= now;
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
      if (seat.pinned.size > 0) {
        seat.pinned.drainInto(
          (call) => this.#scheduler.canTake(seat.lane, call.profile, now) && this.#unqueue(call, seat, now),
        );
      }
    }
    this.#backlog.drainInto((call) => {
      const seat = this.#seatFor(call, now);
      return seat !== undefined && this.#unqueue(call, seat, now);
    });
  }

  /** Takes a waiting call off its queue and hands it to a worker; true in any case: the call waits no more. */
  #unqueue(call: PoolCall, seat: Seat, now: number): true {
    this.#stopWaiting(call);
    this.#dispatch(call, seat, now);
    return true;
  }

  #stopWaiting(call: PoolCall): void {
    Backlog.remove(call);
    this.#waiting -= 1;
  }

  // ---- endings of calls ----------------------------------------------------------------------------------------

  onReleased(call: PoolCall, serviceUs: number): void {
    const { placement } = call;
    if (placement === undefined)
      throw new Error(`call '${call.command}' was released by a worker that does not hold it`);
    const { worker, lane, bookedUs } = placement;
    call.placement = undefined;
    this.#scheduler.end(lane, bookedUs, this.#clock.now());
    call.profile.learn(serviceUs);
    const counters = this.#counters.get(worker);
    if (counters !== undefined) {
      counters.requests += 1;
      counters.totalTimeUs += serviceUs;
    }
    this.#deadlines.forget(call);
    if (call.isSettled) this.#leave();
    if (worker.state.kind === 'draining') worker.leaveIfIdle();
    this.#pump();
  }

  onSettled(call: PoolCall, error: SnakepitError | undefined): void {
    if (error === undefined) {
      this.#totals.succeeded += 1;
    } else {
      this.#totals.onError(error.code);
    }
    if (call.placement === undefined) this.#leave();
    if (hasListeners('snakepit:call')) this.#publish(call, error);
  }

  /** The pool has nothing more to do with a call. */
  #leave(): void {
    this.#open -= 1;
    if (this.#open === 0) for (const done of this.#idleWaiters) done();
  }

  onCallExpired(call: PoolCall, nowMs: number): void {
    const waitedMs = Math.round((call.startedAt ?? nowMs) - call.admittedAt);
    const { command, timeoutMs } = call;
    const pool = this.name;
    if (call.placement === undefined) {
      const isWholeBudget = nowMs >= call.deadline;
      this.#stopWaiting(call);
      const { queueTimeoutMs } = this.options;
      call.fail(
        isWholeBudget
          ? new SnakepitError('CALL_TIMEOUT', { command, pool, timeoutMs, waitedMs }, { delivery: 'not-started' })
          : new SnakepitError('QUEUE_TIMEOUT', { command, pool, waitedMs, queueTimeoutMs, ...this.#load() }),
      );
      return;
    }
    const { worker } = call.placement;
    if (!call.isOverdue) {
      call.isOverdue = true;
      call.stop('deadline');
      call.expiresAt = nowMs + this.options.cancelGraceMs;
      this.#deadlines.watch(call);
      call.fail(new SnakepitError('CALL_TIMEOUT', { command, pool, timeoutMs, waitedMs, worker: worker.id }));
      return;
    }
    const message = `'${command}' still runs ${this.options.cancelGraceMs} ms after its deadline; the worker is killed and replaced`;
    this.#parts.log({ level: 'error', pool, worker: worker.id, message });
    worker.kill('hung');
  }

  onCallAborted(call: PoolCall, reason: unknown): void {
    if (call.isSettled) return;
    if (call.placement === undefined) {
      this.#stopWaiting(call);
      this.#deadlines.forget(call);
      call.fail(cancelled(call.command, this.name, reason));
      this.#pump();
      return;
    }
    call.stop('caller');
    call.fail(new SnakepitError('CANCELLED', { command: call.command, pool: this.name }, { cause: reason }));
  }

  toResult(call: PoolCall, value: unknown): unknown {
    if (this.#adapter.processResponse === undefined) return value;
    try {
      return this.#adapter.processResponse(call.command, value);
    } catch (error) {
      const details = {
        command: call.command,
        pool: this.name,
        reason: `processResponse of the adapter threw: ${toError(error).message}`,
      };
      throw new SnakepitError('INVALID_RESULT', details, { cause: error });
    }
  }

  /** Fails a call that no worker got. */
  #refuse(call: PoolCall, error: SnakepitError): void {
    this.#deadlines.forget(call);
    call.fail(error);
  }

  #takeWaiting(which: (call: PoolCall) => boolean): PoolCall[] {
    const backlogs = [this.#backlog, ...[...this.#seats.values()].map((seat) => seat.pinned)];
    const taken = backlogs.flatMap((backlog) => backlog.calls()).filter(which);
    for (const call of taken) {
      this.#stopWaiting(call);
      this.#deadlines.forget(call);
    }
    return taken;
  }

  // ---- workers -------------------------------------------------------------------------------------------------

  onReady(worker: Worker): void {
    const channel = worker.channel;
    if (channel === undefined) throw new Error(`worker '${worker.id}' is ready without a channel`);
    const lane = new Lane(worker.id, channel.maxInFlight);
    const counters = new WorkerCounters();
    this.#counters.set(worker, counters);
    this.#seats.set(worker.id, { worker, lane, counters, pinned: new Backlog() });
    this.#scheduler.add(lane);
    this.#pump();
  }

  onUnavailable(worker: Worker): void {
    const seat = this.#seats.get(worker.id);
    if (seat === undefined) return;
    this.#seats.delete(worker.id);
    this.#scheduler.remove(seat.lane);
    for (const call of seat.pinned.calls()) {
      this.#stopWaiting(call);
      this.#deadlines.forget(call);
      const details = { session: call.session, pool: this.name, reason: 'gone' };
      call.fail(new SnakepitError('SESSION_WORKER_UNAVAILABLE', details));
    }
    this.#pump();
  }

  onDrained(worker: Worker): void {
    const seat = this.#seats.get(worker.id);
    if (seat === undefined) return;
    seat.lane.hasRoom = true;
    this.#pump();
  }

  onCallsLost(_worker: Worker, calls: readonly OrphanedCall[], error: (call: ChannelCall) => SnakepitError): void {
    for (const orphan of calls) {
      const call = orphan.call as PoolCall;
      const { placement } = call;
      if (placement === undefined) continue;
      call.placement = undefined;
      this.#scheduler.end(placement.lane, placement.bookedUs, this.#clock.now());
      this.#deadlines.forget(call);
      if (call.isSettled) this.#leave();
      else if (this.#mayRunAgain(call, orphan.wasWritten)) this.#requeue(call);
      else if (this.#life === 'closed')
        call.fail(new SnakepitError('POOL_CLOSED', { pool: this.name }, { delivery: 'may-have-run' }));
      else call.fail(error(call));
    }
  }

  #mayRunAgain(call: PoolCall, wasWritten: boolean): boolean {
    if (this.#life === 'closed' || call.chunks > 0) return false;
    return !wasWritten || (call.isIdempotent && call.attempts < this.options.maxAttempts);
  }

  #requeue(call: PoolCall): void {
    this.#backlog.pushFront(call);
    this.#waiting += 1;
    call.expiresAt = call.deadline;
    this.#deadlines.watch(call);
  }

  onDead(worker: Worker): void {
    this.#counters.delete(worker);
    this.#pump();
  }

  onExhausted(reason: SnakepitError | undefined): void {
    const message = `crashes have used up the restart budget and no worker is ready; calls are refused until one is`;
    this.#parts.log({ level: 'error', pool: this.name, message });
    for (const call of this.#takeWaiting(() => true)) call.fail(this.#notReady(reason));
  }

  onHostCall(_worker: Worker, call: HostCall): Promise<unknown> {
    return this.#parts.onHostCall(call.method, call.args, (call.call as PoolCall | undefined)?.session);
  }

  // ---- details -------------------------------------------------------------------------------------------------

  #assertOpen(): void {
    if (this.#life === 'open') return;
    if (this.#life === 'new')
      throw new SnakepitError('POOL_NOT_READY', { pool: this.name, reason: 'it was not started' });
    throw new SnakepitError('POOL_CLOSED', { pool: this.name });
  }

  #prepareArgs(command: string, args: unknown): unknown {
    const adapter = this.#adapter;
    const { supportedCommands } = adapter;
    if (supportedCommands !== undefined && !supportedCommands.includes(command)) {
      throw new SnakepitError('UNKNOWN_COMMAND', { command, pool: this.name, known: supportedCommands.join(', ') });
    }
    if (adapter.validate === undefined && adapter.prepareArgs === undefined) return args;
    try {
      adapter.validate?.(command, args);
      return adapter.prepareArgs === undefined ? args : adapter.prepareArgs(command, args);
    } catch (error) {
      throw isSnakepitError(error) ? error : invalidArguments(command, this.name, error);
    }
  }

  #timeoutOf(kind: CallKind, command: string, args: unknown, options: CallOptions): number {
    const { timeoutMs } = options;
    if (timeoutMs !== undefined) {
      if (typeof timeoutMs === 'number' && timeoutMs > 0) return timeoutMs;
      const reason = `timeoutMs is ${String(timeoutMs)}; allowed is a number above 0, or Infinity`;
      throw new SnakepitError('INVALID_ARGUMENTS', { command, pool: this.name, reason });
    }
    const byAdapter = this.#adapter.commandTimeoutMs?.(command, args);
    return byAdapter ?? (kind === 'stream' ? this.options.streamTimeoutMs : this.options.timeoutMs);
  }

  #profileOf(kind: CallKind, command: string): CommandProfile {
    const profiles = this.#profiles[kind];
    let profile = profiles.get(command);
    if (profile === undefined) {
      profile = new CommandProfile(kind);
      // Names that no worker knows must not pile up here.
      if (profiles.size < MAX_PROFILES) profiles.set(command, profile);
    }
    return profile;
  }

  #load(): { queued: number; busy: number; workers: number } {
    const { lanes } = this.#scheduler;
    return {
      queued: this.#waiting,
      busy: lanes.filter((lane) => lane.inFlight > 0).length,
      workers: lanes.length,
    };
  }

  #saturated(): SnakepitError {
    return new SnakepitError('POOL_SATURATED', { pool: this.name, maxQueue: this.options.maxQueue, ...this.#load() });
  }

  #notReady(cause = this.#supervisor.lastFailure): SnakepitError {
    const reason = `its workers crash faster than they may be restarted${cause === undefined ? '' : `; the last said: ${cause.message}`}`;
    return new SnakepitError('POOL_NOT_READY', { pool: this.name, reason }, { cause });
  }

  #publish(call: PoolCall, error: SnakepitError | undefined): void {
    const now = this.#clock.now();
    publish('snakepit:call', {
      pool: this.name,
      worker: call.placement?.worker.id,
      command: call.command,
      kind: call.kind,
      session: call.session,
      durationMs: now - call.admittedAt,
      queuedMs: (call.startedAt ?? now) - call.admittedAt,
      error: error?.code,
    });
  }
}

const MAX_PROFILES = 65_536;

/** The listener of a call that has one result. */
class Unary implements CallListener {
  constructor(
    readonly onValue: (value: unknown) => void,
    readonly onError: (error: SnakepitError) => void,
  ) {}

  onChunk(): void {
    throw new Error('a call that is no stream got a chunk');
  }

  onEnd(): void {
    throw new Error('a call that is no stream got an end');
  }
}

function cancelled(command: string, pool: string, cause: unknown): SnakepitError {
  return new SnakepitError('CANCELLED', { command, pool }, { cause, delivery: 'not-started' });
}

function invalidArguments(command: string, pool: string, cause: unknown): SnakepitError {
  return new SnakepitError('INVALID_ARGUMENTS', { command, pool, reason: `${toError(cause).message}` }, { cause });
}
