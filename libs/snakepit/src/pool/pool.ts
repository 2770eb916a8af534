import type { ChannelCall, CommandManifest, HostCall } from '../channel/index.js';
import { SnakepitError, type CallMeters, type Clock } from '../core/index.js';
import type { ExitCause, OrphanedCall, Worker } from '../worker/index.js';
import { Admission } from './admission.js';
import { Autoscaler } from './autoscaler.js';
import type { BatchSettings } from './batching/batch-options.js';
import { NO_OPTIONS, type CallOptions } from './call-options.js';
import { CommandBook } from './command-book.js';
import { Dispatcher } from './dispatcher.js';
import { Lender } from './lender.js';
import type { ResolvedPoolOptions } from './options.js';
import { MAX_SIZE } from './options/shared.js';
import type { CallListener, PoolCall } from './pool-call.js';
import { PoolLife } from './pool-life.js';
import type { PoolParts } from './pool-parts.js';
import { PoolReport } from './pool-report.js';
import type { PoolMemory, PoolStats, PoolStatus, WorkerInfo, WorkerUsage } from './pool-stats.js';
import { Recycler } from './recycler.js';
import { Reply } from './reply.js';
import { Rerun } from './rerun.js';
import type { LoadSample } from './scale-policy.js';
import { watchSources } from './source-reload.js';
import type { SourceWatcher } from './source-watcher.js';
import { Supervisor, type SupervisorOwner } from './supervisor.js';
import type { ToolRun } from './tool-run.js';

/** What the consumer of a stream steers it by. */
export interface StreamHandle {
  /** Lets the worker send this many items more. */
  grant(chunks: number): void;
  cancel(): void;
}

/**
 * A number of workers behind one queue.
 *
 * Its admission checks calls; its dispatcher gives them to workers; its supervisor keeps the workers alive. The pool itself holds these
 * together, from start to close.
 */
export class Pool implements SupervisorOwner {
  readonly name: string;
  readonly options: ResolvedPoolOptions;

  readonly #parts: PoolParts;
  readonly #clock: Clock;
  readonly #life: PoolLife;
  readonly #commands: CommandBook;
  readonly #admission: Admission;
  readonly #supervisor: Supervisor;
  readonly #dispatcher: Dispatcher;
  readonly #recycler: Recycler;
  readonly #autoscaler: Autoscaler;
  readonly #lender: Lender;
  readonly #report: PoolReport;
  readonly #reload: Rerun;
  #sources: SourceWatcher | undefined;
  #closing: Promise<void> | undefined;
  #drainUntil: number | undefined;

  constructor(parts: PoolParts) {
    const { name, options, clock } = parts;
    this.name = name;
    this.options = options;
    this.#parts = parts;
    this.#clock = clock;
    const life = (this.#life = new PoolLife(name));
    const commands = (this.#commands = new CommandBook(parts));
    const supervisor = (this.#supervisor = new Supervisor({ ...parts, pool: name, owner: this }));
    const dispatcher = (this.#dispatcher = new Dispatcher({
      ...parts,
      soon: process.nextTick,
      refusal: () => this.#hopeless(),
      mayGrow: (withLent) => this.#lender.mayGrow(withLent),
      onNestedWait: () => this.#lender.lookSoon(),
    }));
    this.#admission = new Admission({ ...parts, life, commands, dispatcher });
    this.#lender = new Lender({
      ...parts,
      pool: name,
      soon: process.nextTick,
      waiting: () => dispatcher.nestedWaiting,
      isBlocked: () => dispatcher.isBlocked,
      idleLent: () => dispatcher.idleLent,
      crew: supervisor,
      refuse: (call) => dispatcher.refuseStuck(call),
    });
    const recycler = (this.#recycler = new Recycler({
      ...parts,
      pool: name,
      workers: () => dispatcher.workers(),
      countersOf: (worker) => dispatcher.countersOf(worker),
      replacing: () => supervisor.replacing,
      replace: (worker, reason) => supervisor.replace(worker, reason),
    }));
    const autoscaler = (this.#autoscaler = new Autoscaler({
      ...parts,
      pool: name,
      sample: (nowMs) => this.#load(nowMs),
      resize: (size) => supervisor.resize(size),
    }));
    this.#report = new PoolReport({ ...parts, life, commands, supervisor, dispatcher, recycler, autoscaler });
    this.#reload = new Rerun(() => this.#supervisor.replaceAll('restart', options.recycle.maxUnavailable));
  }

  /**
   * Starts all workers and returns when each is ready or has failed.
   *
   * @throws SnakepitError when no worker became ready: command line, exit status, last stderr lines, what to do.
   */
  async start(): Promise<void> {
    this.#life.open();
    try {
      await this.#supervisor.start();
      if (this.#life.isOpen) this.#watch();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Starts what looks after healthy workers. */
  #watch(): void {
    this.#recycler.start();
    this.#autoscaler.start();
    this.#sources = watchSources({
      ...this.#parts,
      pool: this.name,
      sources: this.#supervisor.sources,
      reload: () => this.reload(),
    });
  }

  /**
   * Runs a command and returns its result.
   *
   * @throws SnakepitError; see the table of error codes.
   */
  execute(command: string, args: unknown, options: CallOptions = NO_OPTIONS): Promise<unknown> {
    const reply = new Reply();
    this.#admission.admit('call', command, args, options, reply);
    return reply.promise;
  }

  /** Starts a stream; its worker suspends it when `streamCredit` items are on their way and none was granted. */
  stream(command: string, args: unknown, options: CallOptions, listener: CallListener): StreamHandle {
    const call = this.#admission.admit('stream', command, args, options, listener);
    return {
      grant: (chunks) => call?.grant(chunks),
      cancel: () => call && this.#dispatcher.onCallAborted(call, undefined),
    };
  }

  /**
   * Has the calls of a command batched, unless the pool's options say how.
   *
   * @param by who says so, for messages
   * @throws SnakepitError MISUSE where something else was declared before.
   */
  declareBatch(command: string, settings: BatchSettings, by: string): void {
    this.#commands.declareBatch(command, settings, by);
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
    if (!isLate && this.#life.isOpen) return;
    const reason = `after ${timeoutMs} ms ${this.#supervisor.readyCount} of ${count} workers are ready`;
    throw new SnakepitError('POOL_NOT_READY', { pool: this.name, reason }, { cause: this.#supervisor.lastFailure });
  }

  /** Changes the number of workers; those that go finish their calls first. */
  resize(size: number): void {
    if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE) {
      const reason = `'size' is ${String(size)}; allowed is an integer from 1 to ${MAX_SIZE}.`;
      throw new SnakepitError('INVALID_OPTIONS', { reason });
    }
    if (this.options.autoscale !== false) {
      const reason = `resize() is for pools of a fixed size; pool '${this.name}' has 'autoscale', whose 'min' and 'max' bound it.`;
      throw new SnakepitError('MISUSE', { reason });
    }
    this.#life.assertOpen();
    this.#supervisor.resize(size);
  }

  /**
   * Replaces all workers by such that load their code anew, `recycle.maxUnavailable` at a time; each replacement is ready before
   * its predecessor takes no more calls. Asked while it does so, it does it all again.
   *
   * @throws SnakepitError of the first worker that does not start; those that were not yet replaced stay.
   */
  async reload(): Promise<void> {
    this.#life.assertOpen();
    await this.#reload.run();
  }

  /** Replaces one worker, whose replacement is ready before it leaves, or all of them; see {@link reload}. */
  async restart(workerId?: string): Promise<void> {
    this.#life.assertOpen();
    if (workerId === undefined) return this.reload();
    const worker = [...this.#supervisor.workers].find(({ id }) => id === workerId);
    if (worker !== undefined) return void (await this.#supervisor.replace(worker, 'restart'));
    const known = [...this.#supervisor.workers].map(({ id }) => id).join(', ');
    const reason = `no worker '${workerId}' (there are ${known})`;
    throw new SnakepitError('INVALID_ARGUMENTS', { command: 'restart', pool: this.name, reason });
  }

  /** Takes no more calls and returns when those it has are through, or after `drainTimeoutMs`. */
  async drain(): Promise<void> {
    this.#life.drain();
    this.#dispatcher.batching.flush();
    const now = this.#clock.now();
    // Who drains first and closes then has no more time than who does both at once.
    this.#drainUntil ??= now + this.options.drainTimeoutMs;
    await this.idle(Math.max(0, this.#drainUntil - now));
  }

  /** Waits until no call is open, for `timeoutMs` at most; goes on taking calls. */
  async idle(timeoutMs = this.options.drainTimeoutMs): Promise<void> {
    const { reached, giveUp } = this.#dispatcher.idle();
    const timer = this.#clock.after(timeoutMs, giveUp);
    await reached;
    timer.cancel();
  }

  /** Drains, fails what is left with POOL_CLOSED and ends all workers; no process and no timer is left then. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#recycler.stop();
    this.#autoscaler.stop();
    this.#sources?.close();
    await this.drain();
    this.#lender.stop();
    this.#life.close();
    this.#dispatcher.close();
    for (const worker of this.#supervisor.workers) if ((worker.channel?.inFlight ?? 0) > 0) worker.kill('close');
    await this.#supervisor.close(this.options.killGraceMs);
    this.#dispatcher.dispose();
  }

  get status(): PoolStatus {
    return this.#report.status;
  }

  /** Why the latest worker that could not start did not, or how the latest that died by itself did; undefined while all is well. */
  get lastFailure(): SnakepitError | undefined {
    return this.status === 'up' ? undefined : this.#supervisor.lastFailure;
  }

  /** The commands of the workers, where they tell them; undefined where they do not, or none is ready. */
  get commands(): readonly CommandManifest[] | undefined {
    for (const worker of this.#dispatcher.workers()) return worker.channel?.manifest.commands;
    return undefined;
  }

  workers(): WorkerInfo[] {
    return this.#report.workers();
  }

  stats(): PoolStats {
    return this.#report.stats();
  }

  /** What the pool's processes take of the memory; undefined where the system does not tell (anything but Linux). */
  memory(): Promise<PoolMemory | undefined> {
    return this.#report.memory();
  }

  /** What each worker's process takes of memory and CPU; empty where the system does not tell (anything but Linux). */
  usage(): Promise<WorkerUsage[]> {
    return this.#report.usage();
  }

  /** Lets every call be counted, or none any more; whoever asks for it later takes the place of who did before. */
  meter(meters: CallMeters | undefined): void {
    this.#commands.meter(meters);
  }

  /** Tells all workers that a session is over. */
  sessionClosed(session: string): void {
    for (const worker of this.#dispatcher.workers()) worker.channel?.sessionClosed(session);
  }

  // ---- what the supervisor tells -----------------------------------------------------------------------------------

  onReady(worker: Worker, isLent: boolean): void {
    const commands = worker.channel?.manifest.commands;
    if (commands !== undefined && this.#commands.learn(commands)) this.#dispatcher.refile();
    this.#dispatcher.seat(worker, isLent);
    this.#lender.lookSoon();
  }

  onLentGone(hasFailed: boolean): void {
    this.#lender.onGone(hasFailed);
  }

  onUnavailable(worker: Worker): void {
    this.#dispatcher.unseat(worker);
  }

  onRoom(worker: Worker, hasRoom: boolean): void {
    this.#dispatcher.setRoom(worker, hasRoom);
  }

  onCallsLost(calls: readonly OrphanedCall[], error: (call: ChannelCall) => SnakepitError, cause?: ExitCause): void {
    this.#dispatcher.callsLost(calls, error, cause);
  }

  onExhausted(): void {
    const message = 'crashes have used up the restart budget and no worker is ready; calls are refused until one is';
    this.#parts.log({ level: 'error', pool: this.name, message });
    this.#dispatcher.failWaiting(() => this.#notReady());
  }

  onMetrics(worker: Worker, data: unknown): void {
    this.#commands.meters?.onWorkerMetrics(this.name, worker.id, data);
  }

  onHostCall({ method, args, call, trace }: HostCall): Promise<unknown> {
    const asking = call as PoolCall | undefined;
    const isOver = asking === undefined || asking.isSettled || asking.isOverdue;
    const runTool = <T>(blocks: boolean, task: (run: ToolRun) => Promise<T>): Promise<T> =>
      this.#dispatcher.runTool(call as PoolCall, blocks, task);
    return this.#parts.onHostCall({ method, args, call, trace, pool: this.name, isOver, runTool });
  }

  // ---- what its parts ask ------------------------------------------------------------------------------------------

  /** What the autoscaler goes by. */
  #load(nowMs: number): Omit<LoadSample, 'nowMs'> {
    const { size, startMs } = this.#supervisor;
    const { lanes, busyWorkers: busy } = this.#dispatcher;
    return { size, startMs, ready: lanes.length, busy, ...this.#dispatcher.waitForAny(nowMs) };
  }

  /** Why a call should not wait: no worker is ready, and none can be expected soon. */
  #hopeless(): SnakepitError | undefined {
    const isHopeless = this.#dispatcher.lanes.length === 0 && this.#supervisor.isExhausted;
    return isHopeless ? this.#notReady() : undefined;
  }

  #notReady(): SnakepitError {
    const cause = this.#supervisor.lastFailure;
    const lastSaid = cause === undefined ? '' : `; the last said: ${cause.message}`;
    const reason = `its workers crash faster than they may be restarted${lastSaid}`;
    return new SnakepitError('POOL_NOT_READY', { pool: this.name, reason }, { cause });
  }
}
