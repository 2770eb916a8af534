import { Traffic, type ChannelCall, type HostCall } from '../channel/index.js';
import { SnakepitError, type Clock, type LogSink, type Timer } from '../core/index.js';
import {
  describeExit,
  Worker,
  workerEnvironment,
  type DrainReason,
  type ExitCause,
  type Launch,
  type LeaveReason,
  type OrphanedCall,
  type Sources,
  type WorkerOwner,
} from '../worker/index.js';
import { initialSize, numericThreadsOf } from './autoscaler.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { Launcher } from './launcher.js';
import type { LendingCrew } from './lender.js';
import type { ResolvedPoolOptions } from './options.js';
import { RestartPolicy } from './restart-policy.js';

const CONDEMNING: ReadonlySet<DrainReason> = new Set(['hung', 'frozen', 'protocol-error']);

export interface SupervisorParts {
  readonly pool: string;
  readonly options: ResolvedPoolOptions;
  /** Marks this host's processes; in every worker's environment as SNAKEPIT_INSTANCE. */
  readonly instance: string;
  readonly hostEnv: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly owner: SupervisorOwner;
  readonly launch?: Launch;
  /** Takes the spans that a worker has recorded, unchecked. */
  readonly onSpans?: (worker: string, spans: unknown) => void;
}

/** What a supervisor tells its pool. */
export interface SupervisorOwner {
  /** `isLent` says that it is beyond the pool's size, for nested calls only. */
  onReady(worker: Worker, isLent: boolean): void;
  onUnavailable(worker: Worker): void;
  /** A lent worker is gone; `hasFailed` when it never became ready. */
  onLentGone(hasFailed: boolean): void;
  /** The worker's channel is full (no calls should be given to it), or has room again. */
  onRoom(worker: Worker, hasRoom: boolean): void;
  onCallsLost(calls: readonly OrphanedCall[], error: (call: ChannelCall) => SnakepitError, cause?: ExitCause): void;
  onHostCall(call: HostCall): Promise<unknown>;
  onMetrics(worker: Worker, data: unknown): void;
  /** The restart budget is used up and no worker is ready. */
  onExhausted(): void;
}

/** Keeps a pool's workers at their number: starts them, restarts the crashed, replaces, adds and retires. */
export class Supervisor implements WorkerOwner, LendingCrew {
  /** What has gone to and come from all workers that the pool has had. */
  readonly traffic = new Traffic();
  readonly #parts: SupervisorParts;
  readonly #workers = new Set<Worker>();
  /** Workers being replaced or retired on purpose: their end is no crash. */
  readonly #leaving = new Set<Worker>();
  /** Workers that have yet to prove themselves before another is retired for them. */
  readonly #replacements = new Set<Worker>();
  /** Workers beyond the size, for nested calls only: none is missed when it ends. */
  readonly #lent = new Set<Worker>();
  readonly #restartPolicy: RestartPolicy;
  readonly #breaker = new CircuitBreaker();
  readonly #restartTimers = new Set<Timer>();
  readonly #waiters = new Set<() => void>();
  #heartbeat: Timer | undefined;
  #launcher: Launcher | undefined;
  #size: number;
  #nextNumber = 1;
  #replacing = 0;
  #isBooting = true;
  #isClosed = false;
  #restarts = 0;
  #lastFailure: SnakepitError | undefined;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#size = initialSize(parts.options);
    this.#restartPolicy = new RestartPolicy(parts.options.restart);
  }

  get workers(): ReadonlySet<Worker> {
    return this.#workers;
  }

  get size(): number {
    return this.#size;
  }

  /** How many crashed workers were restarted. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Workers that may yet become ready, and whose end would have them started again. */
  get #tries(): number {
    let count = this.#restartTimers.size;
    for (const worker of this.#workers) {
      if (worker.state.kind === 'starting' && !this.#leaving.has(worker) && !this.#lent.has(worker)) count += 1;
    }
    return count;
  }

  /** Workers on their way, lent ones included, and restarts that are due. */
  get startingCount(): number {
    let count = this.#tries;
    for (const worker of this.#lent) if (worker.state.kind === 'starting') count += 1;
    return count;
  }

  /** Workers beyond the size that are there or on their way. */
  get lentCount(): number {
    let count = 0;
    for (const { state } of this.#lent) if (state.kind === 'starting' || state.kind === 'ready') count += 1;
    return count;
  }

  /** Not where the workers are somebody else's. */
  get canLend(): boolean {
    const spec = this.#launcher?.spec;
    return spec !== undefined && !('addresses' in spec) && !this.#isClosed && !this.isExhausted;
  }

  /** Workers that serve, lent ones apart. */
  get readyCount(): number {
    let count = 0;
    for (const worker of this.#workers) if (worker.state.kind === 'ready' && !this.#lent.has(worker)) count += 1;
    return count;
  }

  /** The longest that a worker which is ready took to start; 0 without any. */
  get startMs(): number {
    const times = [...this.#workers].map(({ state }) => (state.kind === 'ready' ? state.startMs : 0));
    return Math.max(0, ...times);
  }

  /** How many workers are being replaced: from the launch of the replacement to the end of the old one. */
  get replacing(): number {
    return this.#replacing;
  }

  /** Where the workers' code lies; undefined before the start, and where the adapter does not know. */
  get sources(): Sources | undefined {
    const spec = this.#launcher?.spec;
    return spec !== undefined && 'sources' in spec ? spec.sources : undefined;
  }

  /** Every process of the pool: its workers, and what they are forked from. */
  get processes(): { id: string; pid: number }[] {
    const known = [...this.#workers, ...(this.#launcher?.zygotes ?? [])];
    return known.flatMap(({ id, pid }) => (pid === undefined ? [] : { id, pid }));
  }

  /** Why the latest worker that failed to start, or died by itself, did so. */
  get lastFailure(): SnakepitError | undefined {
    return this.#lastFailure;
  }

  /** Whether the pool is down, or would be if the workers it has now were gone: crashes have outrun the restart budget. */
  get isExhausted(): boolean {
    return this.#breaker.isOpen || this.#restartPolicy.isExhausted(this.#parts.clock.now());
  }

  /**
   * Starts all workers at once and returns when each is ready or has failed.
   *
   * @throws SnakepitError WORKER_START_FAILED (the first failure) when none became ready; INTERPRETER_NOT_FOUND and whatever else
   * the adapter throws.
   */
  async start(): Promise<void> {
    const { pool, options, log } = this.#parts;
    const spec = await options.adapter.prepare({
      pool,
      concurrency: options.concurrency,
      log: (record) => log({ pool, ...record }),
    });
    if (this.#isClosed) return;
    this.#launcher = new Launcher({ ...this.#parts, spec });
    await this.#launcher.start();
    if (this.#isClosed) return;
    for (let started = 0; started < this.#size; started += 1) this.#launch();
    this.#beat();
    await this.#until(() => this.#isClosed || ![...this.#workers].some((worker) => worker.state.kind === 'starting'));
    this.#isBooting = false;
    if (this.#isClosed) return;
    if (this.readyCount === 0)
      throw this.#lastFailure ?? new SnakepitError('POOL_NOT_READY', { pool: this.#parts.pool });
    this.#fill();
  }

  /** Waits until `count` workers are ready; a condition that can no longer come true ends the wait too. */
  async untilReady(count: number): Promise<void> {
    await this.#until(() => this.#isClosed || this.readyCount >= count);
  }

  resize(size: number): void {
    this.#size = size;
    this.#balance();
  }

  /** Starts a worker beyond the size, for nested calls only. */
  lend(): void {
    this.#lent.add(this.#launch());
  }

  takeBack(worker: Worker): void {
    if (this.#lent.has(worker)) worker.drain('idle');
  }

  /** Retires workers that are too many, and launches those that are missing. */
  #balance(): void {
    const staying = [...this.#workers].filter((worker) => !this.#leaving.has(worker) && !this.#lent.has(worker));
    const surplus = staying.toSorted(byUsefulness).slice(this.#size);
    for (const worker of surplus) this.#retire(worker, 'resize');
    if (!this.#isBooting) this.#fill();
  }

  /**
   * Starts a fresh worker and, once that is ready, retires the old one; returns when the old one is gone. False for one that
   * leaves already.
   *
   * @throws SnakepitError of the fresh one when it does not start; the old one stays then.
   */
  async replace(worker: Worker, reason: LeaveReason): Promise<boolean> {
    if (this.#isClosed || !this.#workers.has(worker) || this.#leaving.has(worker)) return false;
    // Its successor is lent when it is needed.
    if (this.#lent.has(worker)) {
      this.takeBack(worker);
      return false;
    }
    this.#replacing += 1;
    try {
      await this.#replace(worker, reason);
      return true;
    } finally {
      this.#replacing -= 1;
      this.#wake();
    }
  }

  async #replace(worker: Worker, reason: LeaveReason): Promise<void> {
    this.#leaving.add(worker);
    const fresh = this.#launch();
    this.#replacements.add(fresh);
    await this.#until(() => this.#isClosed || fresh.state.kind !== 'starting');
    // One that was retired while it started is no longer needed, and with it the old one is not.
    const isNeeded = this.#replacements.delete(fresh);
    if (isNeeded && fresh.state.kind === 'dead' && !this.#isClosed) {
      // The old one stays: a pool must not shrink because its new code does not start.
      this.#leaving.delete(worker);
      this.#balance();
      throw this.#lastFailure ?? new SnakepitError('POOL_NOT_READY', { pool: this.#parts.pool });
    }
    worker.drain(reason);
    await this.#until(() => worker.state.kind === 'dead');
  }

  /**
   * Replaces all workers, `atOnce` at a time, by such that load their code anew.
   *
   * @throws SnakepitError of the first replacement that does not start; those that were not yet replaced stay.
   */
  async replaceAll(reason: LeaveReason, atOnce: number): Promise<void> {
    await this.#launcher?.start();
    const present = [...this.#workers].values();
    this.#restartNow();
    let hasFailed = false;
    const replaceInTurn = async (): Promise<void> => {
      for (const worker of present) {
        // Others are replaced too, by recycling or by name; and whoever waits beside this may be faster.
        while (this.#replacing >= atOnce && !this.#isClosed) {
          await this.#until(() => this.#isClosed || this.#replacing < atOnce);
        }
        if (hasFailed) return;
        await this.replace(worker, reason);
      }
    };
    const turns = Array.from({ length: atOnce }, () =>
      replaceInTurn().catch((error: unknown) => {
        hasFailed = true;
        throw error;
      }),
    );
    const outcomes = await Promise.allSettled(turns);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** No more restarts; workers leave when their calls are through, or are killed when `deadlineMs` is over. */
  async close(deadlineMs: number): Promise<void> {
    this.#isClosed = true;
    this.#heartbeat?.cancel();
    for (const timer of this.#restartTimers) timer.cancel();
    this.#restartTimers.clear();
    this.#wake();
    for (const worker of this.#workers) worker.drain('close');
    const lateness = this.#parts.clock.after(deadlineMs, () => {
      for (const worker of this.#workers) worker.kill('close');
    });
    await this.#until(() => this.#workers.size === 0);
    lateness.cancel();
    await this.#launcher?.close();
  }

  onReady(worker: Worker): void {
    if (this.#lent.has(worker)) return this.#parts.owner.onReady(worker, true);
    if (this.#isClosed || this.readyCount > this.#size + this.#leaving.size) return this.#retire(worker, 'resize');
    this.#parts.owner.onReady(worker, false);
    if (this.#breaker.onReady()) this.#endOutage();
    this.#wake();
  }

  onUnavailable(worker: Worker): void {
    this.#parts.owner.onUnavailable(worker);
    const isMissed = !this.#isClosed && !this.#leaving.has(worker) && !this.#lent.has(worker);
    if (isCondemned(worker) && isMissed) this.#replaceAtOnce(worker);
  }

  onRoom(worker: Worker, hasRoom: boolean): void {
    this.#parts.owner.onRoom(worker, hasRoom);
  }

  onCallsLost(calls: readonly OrphanedCall[], error: (call: ChannelCall) => SnakepitError, cause?: ExitCause): void {
    this.#parts.owner.onCallsLost(calls, error, cause);
  }

  onHostCall(call: HostCall): Promise<unknown> {
    return this.#parts.owner.onHostCall(call);
  }

  onMetrics(worker: Worker, data: unknown): void {
    this.#parts.owner.onMetrics(worker, data);
  }

  onDead(worker: Worker, cause: ExitCause, startError: SnakepitError | undefined): void {
    const { log, pool } = this.#parts;
    const wasLeaving = this.#leaving.delete(worker);
    this.#workers.delete(worker);
    const wasLent = this.#lent.delete(worker);
    // Why a worker was killed has been logged where that was decided.
    const wasKilled =
      worker.state.kind === 'dead' && worker.state.reason !== undefined && worker.state.reason !== 'channel-closed';
    if (startError !== undefined) this.#lastFailure = startError;
    else if (!wasKilled)
      this.#lastFailure = new SnakepitError('WORKER_EXITED', { pool, worker: worker.id, exit: describeExit(cause) });
    if (!wasLeaving && !this.#isClosed) {
      const message =
        startError?.message ??
        `exited unexpectedly (${describeExit(cause)}); it ${wasLent ? 'was lent' : 'is replaced'}`;
      if (!wasKilled) log({ level: 'error', pool, worker: worker.id, message });
      if (!this.#isBooting && !this.#replacements.has(worker) && !wasLent) this.#restartLater();
    }
    if (wasLent) this.#parts.owner.onLentGone(startError !== undefined);
    this.#wake();
  }

  #launch(): Worker {
    const { pool, options, instance, hostEnv, clock, log, onSpans } = this.#parts;
    const launcher = this.#launcher;
    if (launcher === undefined) throw new Error('a worker was launched before the adapter was prepared');
    const { spec, launch } = launcher;
    const id = `${pool}-${this.#nextNumber}`;
    this.#nextNumber += 1;
    const { inheritEnv: inherit, env: given } = options;
    const numericThreads = 'launch' in spec ? 0 : numericThreadsOf(options, this.#size);
    const env =
      'addresses' in spec
        ? {}
        : workerEnvironment({ spec, hostEnv, inherit, given, pool, worker: id, instance, numericThreads });
    const settings = options;
    const worker = new Worker({ id, pool, instance, spec, env, launch, settings, clock, log, owner: this, onSpans });
    this.#workers.add(worker);
    return worker;
  }

  /** Whoever has to be killed may take its time to die: its successor does not wait for that. */
  #replaceAtOnce(worker: Worker): void {
    this.#leaving.add(worker);
    const { state } = worker;
    if (state.kind === 'draining' && state.reason === 'protocol-error') return this.#restartLater();
    // It has served, and the time-outs it has outlasted keep such ends rare: delays are for workers that cannot live.
    this.#restarts += 1;
    this.#fill();
  }

  #restartLater(): void {
    const { clock, owner } = this.#parts;
    const { delayMs, isExhausted } = this.#restartPolicy.onCrash(clock.now(), Math.max(3, this.#size));
    const tries = this.#tries;
    const decision = this.#breaker.onCrash(isExhausted, this.readyCount, tries);
    if (decision === 'open') owner.onExhausted();
    if (decision !== 'restart' && tries > 0) return;
    if (delayMs === 0) {
      this.#restarts += 1;
      return this.#fill();
    }
    const timer = clock.after(delayMs, () => {
      this.#restartTimers.delete(timer);
      this.#restarts += 1;
      this.#fill();
    });
    this.#restartTimers.add(timer);
  }

  /** A worker lives again: the others need not wait for their turn. */
  #endOutage(): void {
    const { log, pool } = this.#parts;
    log({ level: 'info', pool, message: 'a worker is ready again; the others are started' });
    this.#restartNow();
  }

  /** Launches what waits for its restart: what it crashed of may be gone. */
  #restartNow(): void {
    this.#restarts += this.#restartTimers.size;
    for (const timer of this.#restartTimers) timer.cancel();
    this.#restartTimers.clear();
    this.#fill();
  }

  /** Launches what is missing, less what a restart timer will launch; of a pool that is down, one worker at a time. */
  #fill(): void {
    if (this.#isClosed || this.#launcher === undefined) return;
    const staying = this.#workers.size - this.#leaving.size - this.#lent.size;
    const size = this.#breaker.isOpen ? 1 : this.#size;
    const missing = size - staying - this.#restartTimers.size;
    for (let launched = 0; launched < missing; launched += 1) this.#launch();
  }

  #retire(worker: Worker, reason: LeaveReason): void {
    this.#replacements.delete(worker);
    this.#leaving.add(worker);
    worker.drain(reason);
  }

  #beat(): void {
    const { clock, options } = this.#parts;
    this.#heartbeat = clock.after(options.heartbeatIntervalMs, () => {
      const now = clock.now();
      for (const worker of this.#workers) worker.checkPulse(now);
      if (!this.#isClosed) this.#beat();
    });
  }

  #until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.#waiters.delete(check);
        resolve();
      };
      this.#waiters.add(check);
    });
  }

  /** Something changed that a waiter may wait for. */
  #wake(): void {
    for (const check of this.#waiters) check();
  }
}

/** It will answer no more, and is being killed. */
function isCondemned({ state }: Worker): boolean {
  return state.kind === 'draining' && CONDEMNING.has(state.reason);
}

/** Ready workers first, idle ones last among them, so that shrinking costs as little as it can. */
function byUsefulness(a: Worker, b: Worker): number {
  const rank = (worker: Worker): number => (worker.state.kind === 'ready' ? (worker.channel?.inFlight ?? 0) + 1 : 0);
  return rank(b) - rank(a);
}
