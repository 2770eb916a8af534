import { Traffic, type ChannelCall, type HostCall } from '../channel/index.js';
import { SnakepitError, type Clock, type LogSink, type Timer } from '../core/index.js';
import {
  describeExit,
  type DrainReason,
  type ExitCause,
  type Launch,
  type LeaveReason,
  type OrphanedCall,
  type Sources,
  type Worker,
  type WorkerOwner,
} from '../worker/index.js';
import { initialSize } from './autoscaler.js';
import { Changes } from './changes.js';
import { Launcher } from './launcher.js';
import type { LendingCrew } from './lender.js';
import type { ResolvedPoolOptions } from './options.js';
import { Replacing } from './replacing.js';
import { Restarts } from './restarts.js';
import { Roster } from './roster.js';

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
  readonly #roster = new Roster();
  readonly #changes = new Changes();
  readonly #restarts: Restarts;
  readonly #replacing: Replacing;
  #heartbeat: Timer | undefined;
  #launcher: Launcher | undefined;
  #size: number;
  #isBooting = true;
  #isClosed = false;
  #lastFailure: SnakepitError | undefined;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#size = initialSize(parts.options);
    const roster = this.#roster;
    this.#restarts = new Restarts({
      settings: parts.options.restart,
      clock: parts.clock,
      roster,
      size: () => this.#size,
      fill: () => this.#fill(),
      onExhausted: () => parts.owner.onExhausted(),
    });
    this.#replacing = new Replacing({
      roster,
      changes: this.#changes,
      isClosed: () => this.#isClosed,
      launch: () => this.#launch(),
      takeBack: (worker) => this.takeBack(worker),
      balance: () => this.#balance(),
      startFailure: () => this.#startFailure(),
    });
  }

  get workers(): ReadonlySet<Worker> {
    return this.#roster.workers;
  }

  get size(): number {
    return this.#size;
  }

  /** How many crashed workers were restarted. */
  get restarts(): number {
    return this.#restarts.count;
  }

  /** Workers on their way, lent ones included, and restarts that are due. */
  get startingCount(): number {
    return this.#restarts.tries + this.#roster.lentStartingCount;
  }

  /** Workers beyond the size that are there or on their way. */
  get lentCount(): number {
    return this.#roster.lentCount;
  }

  /** Not where the workers are somebody else's. */
  get canLend(): boolean {
    const spec = this.#launcher?.spec;
    return spec !== undefined && !('addresses' in spec) && !this.#isClosed && !this.isExhausted;
  }

  /** Workers that serve, lent ones apart. */
  get readyCount(): number {
    return this.#roster.readyCount;
  }

  /** The longest that a worker which is ready took to start; 0 without any. */
  get startMs(): number {
    return this.#roster.startMs;
  }

  /** How many workers are being replaced: from the launch of the replacement to the end of the old one. */
  get replacing(): number {
    return this.#replacing.count;
  }

  /** Where the workers' code lies; undefined before the start, and where the adapter does not know. */
  get sources(): Sources | undefined {
    const spec = this.#launcher?.spec;
    return spec !== undefined && 'sources' in spec ? spec.sources : undefined;
  }

  /** Every process of the pool: its workers, and what they are forked from. */
  get processes(): { id: string; pid: number }[] {
    const known = [...this.#roster.workers, ...(this.#launcher?.zygotes ?? [])];
    return known.flatMap(({ id, pid }) => (pid === undefined ? [] : { id, pid }));
  }

  /** Why the latest worker that failed to start, or died by itself, did so. */
  get lastFailure(): SnakepitError | undefined {
    return this.#lastFailure;
  }

  /** Whether the pool is down, or would be if the workers it has now were gone: crashes have outrun the restart budget. */
  get isExhausted(): boolean {
    return this.#restarts.isExhausted;
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
    await this.#changes.until(() => this.#isClosed || !this.#roster.isStarting);
    this.#isBooting = false;
    if (this.#isClosed) return;
    if (this.readyCount === 0) throw this.#startFailure();
    this.#fill();
  }

  /** Waits until `count` workers are ready; a condition that can no longer come true ends the wait too. */
  async untilReady(count: number): Promise<void> {
    await this.#changes.until(() => this.#isClosed || this.readyCount >= count);
  }

  resize(size: number): void {
    this.#size = size;
    this.#balance();
  }

  /** Starts a worker beyond the size, for nested calls only. */
  lend(): void {
    this.#roster.lent.add(this.#launch());
  }

  takeBack(worker: Worker): void {
    if (this.#roster.lent.has(worker)) worker.drain('idle');
  }

  /** Retires workers that are too many, and launches those that are missing. */
  #balance(): void {
    for (const worker of this.#roster.surplus(this.#size)) this.#retire(worker, 'resize');
    if (!this.#isBooting) this.#fill();
  }

  /**
   * Starts a fresh worker and, once that is ready, retires the old one; returns when the old one is gone. False for one that
   * leaves already.
   *
   * @throws SnakepitError of the fresh one when it does not start; the old one stays then.
   */
  replace(worker: Worker, reason: LeaveReason): Promise<boolean> {
    return this.#replacing.replace(worker, reason);
  }

  /**
   * Replaces all workers, `atOnce` at a time, by such that load their code anew.
   *
   * @throws SnakepitError of the first replacement that does not start; those that were not yet replaced stay.
   */
  async replaceAll(reason: LeaveReason, atOnce: number): Promise<void> {
    await this.#launcher?.start();
    const present = [...this.#roster.workers];
    this.#restarts.allNow();
    await this.#replacing.replaceEach(present, reason, atOnce);
  }

  /** No more restarts; workers leave when their calls are through, or are killed when `deadlineMs` is over. */
  async close(deadlineMs: number): Promise<void> {
    this.#isClosed = true;
    this.#heartbeat?.cancel();
    this.#restarts.stop();
    this.#changes.tell();
    for (const worker of this.#roster.workers) worker.drain('close');
    const lateness = this.#parts.clock.after(deadlineMs, () => {
      for (const worker of this.#roster.workers) worker.kill('close');
    });
    await this.#changes.until(() => this.#roster.workers.size === 0);
    lateness.cancel();
    await this.#launcher?.close();
  }

  onReady(worker: Worker): void {
    const { lent, leaving } = this.#roster;
    if (lent.has(worker)) return this.#parts.owner.onReady(worker, true);
    if (this.#isClosed || this.readyCount > this.#size + leaving.size) return this.#retire(worker, 'resize');
    this.#parts.owner.onReady(worker, false);
    if (this.#restarts.onReady()) this.#endOutage();
    this.#changes.tell();
  }

  onUnavailable(worker: Worker): void {
    this.#parts.owner.onUnavailable(worker);
    const { lent, leaving } = this.#roster;
    const isMissed = !this.#isClosed && !leaving.has(worker) && !lent.has(worker);
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
    const { wasLeaving, wasLent } = this.#roster.remove(worker);
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
      if (!this.#isBooting && !this.#roster.replacements.has(worker) && !wasLent) this.#restarts.onCrash();
    }
    if (wasLent) this.#parts.owner.onLentGone(startError !== undefined);
    this.#changes.tell();
  }

  #launch(): Worker {
    if (this.#launcher === undefined) throw new Error('a worker was launched before the adapter was prepared');
    const worker = this.#launcher.startWorker(this.#size, this);
    this.#roster.workers.add(worker);
    return worker;
  }

  /** Whoever has to be killed may take its time to die: its successor does not wait for that. */
  #replaceAtOnce(worker: Worker): void {
    this.#roster.leaving.add(worker);
    const { state } = worker;
    if (state.kind === 'draining' && state.reason === 'protocol-error') return this.#restarts.onCrash();
    // It has served, and the time-outs it has outlasted keep such ends rare: delays are for workers that cannot live.
    this.#restarts.atOnce();
  }

  /** A worker lives again: the others need not wait for their turn. */
  #endOutage(): void {
    const { log, pool } = this.#parts;
    log({ level: 'info', pool, message: 'a worker is ready again; the others are started' });
    this.#restarts.allNow();
  }

  /** Launches what is missing, less what a restart timer will launch; of a pool that is down, one worker at a time. */
  #fill(): void {
    if (this.#isClosed || this.#launcher === undefined) return;
    const size = this.#restarts.isDown ? 1 : this.#size;
    const missing = size - this.#roster.stayingCount - this.#restarts.due;
    for (let launched = 0; launched < missing; launched += 1) this.#launch();
  }

  #retire(worker: Worker, reason: LeaveReason): void {
    this.#roster.replacements.delete(worker);
    this.#roster.leaving.add(worker);
    worker.drain(reason);
  }

  #beat(): void {
    const { clock, options } = this.#parts;
    this.#heartbeat = clock.after(options.heartbeatIntervalMs, () => {
      const now = clock.now();
      for (const worker of this.#roster.workers) worker.checkPulse(now);
      if (!this.#isClosed) this.#beat();
    });
  }

  #startFailure(): SnakepitError {
    return this.#lastFailure ?? new SnakepitError('POOL_NOT_READY', { pool: this.#parts.pool });
  }
}

/** It will answer no more, and is being killed. */
function isCondemned({ state }: Worker): boolean {
  return state.kind === 'draining' && CONDEMNING.has(state.reason);
}
