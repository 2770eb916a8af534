import type { CallKind, ChannelCall, CommandManifest, HostCall } from '../channel/index.js';
import { SnakepitError, type CallMeters, type Clock, type LogSink } from '../core/index.js';
import {
  readProcessMemory,
  readProcessUsage,
  type ExitCause,
  type Launch,
  type OrphanedCall,
  type Worker,
} from '../worker/index.js';
import { Autoscaler } from './autoscaler.js';
import { BatchRules } from './batching/batch-rules.js';
import type { BatchSettings } from './batching/batch-options.js';
import { CommandProfile } from './command-profile.js';
import type { CommandContract } from './contracts/command-contract.js';
import { ContractRules } from './contracts/contract-rules.js';
import { ConcurrentCommands } from './concurrent-commands.js';
import { Dispatcher } from './dispatcher.js';
import type { ResolvedPoolOptions } from './options.js';
import { MAX_SIZE } from './options/shared.js';
import { isTimeout, NO_OPTIONS, settingsOf, type CallOptions, type InheritedOptions } from './call-options.js';
import { NO_SURROUNDINGS, type CallSurroundings } from './call-surroundings.js';
import { refusedOutcome } from './call-watcher.js';
import { discardUnopened } from './input-source.js';
import { PoolCall, type CallListener } from './pool-call.js';
import { cancelled, invalidArguments } from './pool-errors.js';
import type { PoolMemory, PoolStats, PoolStatus, ProcessMemoryInfo, WorkerInfo, WorkerUsage } from './pool-stats.js';
import { Rerun } from './rerun.js';
import type { SessionAffinity } from './seats.js';
import { Lender } from './lender.js';
import { Recycler } from './recycler.js';
import { Reply } from './reply.js';
import type { LoadSample } from './scale-policy.js';
import { watchSources } from './source-reload.js';
import type { SourceWatcher } from './source-watcher.js';
import { Supervisor, type SupervisorOwner } from './supervisor.js';
import type { ToolRun } from './tool-run.js';
import { currentToolRun } from './tool-scope.js';

/** Names that no worker knows must not pile up. */
const MAX_PROFILES = 65_536;

/** What a worker asks of its host, on behalf of a call where that is still known. */
export interface HostRequest extends HostCall {
  readonly pool: string;
  /** Whether nobody waits for the call any more, or it is unknown. */
  readonly isOver: boolean;
  /**
   * Runs a tool for the call, which must not be over; see `ToolRuns.run`.
   *
   * @param blocks whether the worker can do nothing else until it has the answer
   */
  runTool<T>(blocks: boolean, task: (run: ToolRun) => Promise<T>): Promise<T>;
}

/** Answers what workers ask of their host; a rejection goes back to the worker as an error. */
export type HostCallHandler = (request: HostRequest) => Promise<unknown>;

export interface PoolParts {
  readonly name: string;
  readonly options: ResolvedPoolOptions;
  readonly instance: string;
  readonly hostEnv: NodeJS.ProcessEnv;
  readonly affinity: SessionAffinity;
  readonly onHostCall: HostCallHandler;
  /** What calls take from where they are made; default: nothing. */
  readonly surroundings?: CallSurroundings;
  /** Takes the spans that a worker has recorded, unchecked; default: they are dropped. */
  readonly onSpans?: (worker: string, spans: unknown) => void;
  readonly clock: Clock;
  readonly log: LogSink;
  /** How worker processes come into being, where it is not by spawning: simulations script theirs. */
  readonly launch?: Launch;
  /** From 0 up to 1, for what happens at random; default `Math.random`. */
  readonly random?: () => number;
}

/** What the consumer of a stream steers it by. */
export interface StreamHandle {
  /** Lets the worker send this many items more. */
  grant(chunks: number): void;
  cancel(): void;
}

type Life = 'new' | 'open' | 'draining' | 'closed';

/**
 * A number of workers behind one queue.
 *
 * The pool checks and admits calls; its dispatcher gives them to workers; its supervisor keeps the workers alive.
 */
export class Pool implements SupervisorOwner {
  readonly name: string;
  readonly options: ResolvedPoolOptions;

  readonly #parts: PoolParts;
  readonly #clock: Clock;
  readonly #surroundings: CallSurroundings;
  readonly #supervisor: Supervisor;
  readonly #dispatcher: Dispatcher;
  readonly #recycler: Recycler;
  readonly #autoscaler: Autoscaler;
  readonly #lender: Lender;
  readonly #profiles: Readonly<Record<CallKind, Map<string, CommandProfile>>> = { call: new Map(), stream: new Map() };
  readonly #batches: BatchRules;
  readonly #contracts: ContractRules;
  readonly #concurrent: ConcurrentCommands;
  readonly #reload: Rerun;
  #sources: SourceWatcher | undefined;
  #meters: CallMeters | undefined;
  #life: Life = 'new';
  #closing: Promise<void> | undefined;
  #drainUntil: number | undefined;

  constructor(parts: PoolParts) {
    const { name, options, clock } = parts;
    this.name = name;
    this.options = options;
    this.#parts = parts;
    this.#clock = clock;
    this.#surroundings = parts.surroundings ?? NO_SURROUNDINGS;
    this.#supervisor = new Supervisor({ ...parts, pool: name, owner: this });
    this.#dispatcher = new Dispatcher({
      ...parts,
      soon: process.nextTick,
      refusal: () => this.#hopeless(),
      mayGrow: (withLent) => this.#lender.mayGrow(withLent),
      onNestedWait: () => this.#lender.lookSoon(),
    });
    this.#lender = new Lender({
      ...parts,
      pool: name,
      soon: process.nextTick,
      waiting: () => this.#dispatcher.nestedWaiting,
      isBlocked: () => this.#dispatcher.isBlocked,
      idleLent: () => this.#dispatcher.idleLent,
      crew: this.#supervisor,
      refuse: (call) => this.#dispatcher.refuseStuck(call),
    });
    this.#recycler = new Recycler({
      ...parts,
      pool: name,
      workers: () => this.#dispatcher.workers(),
      countersOf: (worker) => this.#dispatcher.countersOf(worker),
      replacing: () => this.#supervisor.replacing,
      replace: (worker, reason) => this.#supervisor.replace(worker, reason),
    });
    this.#autoscaler = new Autoscaler({
      ...parts,
      pool: name,
      sample: (nowMs) => this.#load(nowMs),
      resize: (size) => this.#supervisor.resize(size),
    });
    this.#batches = new BatchRules(name, options.batch);
    this.#contracts = new ContractRules(name, options.validate);
    this.#concurrent = new ConcurrentCommands(options.concurrency);
    this.#reload = new Rerun(() => this.#supervisor.replaceAll('restart', options.recycle.maxUnavailable));
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
      if (this.#life === 'open') this.#watch();
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
    this.#call('call', command, args, options, reply);
    return reply.promise;
  }

  /** Starts a stream; its worker suspends it when `streamCredit` items are on their way and none was granted. */
  stream(command: string, args: unknown, options: CallOptions, listener: CallListener): StreamHandle {
    const call = this.#call('stream', command, args, options, listener);
    return {
      grant: (chunks) => call?.grant(chunks),
      cancel: () => call && this.#dispatcher.onCallAborted(call, undefined),
    };
  }

  /** Checks and admits a call; the listener hears everything, refusals included. Undefined for a refused call. */
  #call(
    kind: CallKind,
    command: string,
    args: unknown,
    options: CallOptions,
    listener: CallListener,
  ): PoolCall | undefined {
    const { totals } = this.#dispatcher;
    totals.requests += 1;
    let call: PoolCall;
    const nesting = currentToolRun();
    let inherited: InheritedOptions = options;
    try {
      if (this.#surroundings.isPresent) {
        inherited = this.#surroundings.inherit({ pool: this.name, kind, command, options });
      }
      this.#assertOpen(nesting);
      if (inherited.signal?.aborted) throw cancelled(command, this.name, inherited.signal.reason, 'not-started');
      const settings = settingsOf(command, this.name, inherited);
      const prepared = this.#prepareArgs(command, args);
      const profile = this.#profileOf(kind, command);
      const { contract } = profile;
      if (contract !== undefined) contract.checkArguments(prepared, settings.validate);
      const parts = {
        owner: this.#dispatcher,
        command,
        args: prepared,
        settings: nesting === undefined ? settings : { ...settings, nesting },
        profile,
        admittedAt: this.#clock.now(),
        timeoutMs: this.#timeoutOf(kind, command, prepared, inherited, nesting),
        listener,
      };
      const { batching } = profile;
      if (batching !== undefined && settings.input !== undefined) {
        const reason = 'calls of this command are batched, and a batch has no input; pass the bytes as an argument';
        throw new SnakepitError('INVALID_ARGUMENTS', { command, pool: this.name, reason });
      }
      call = batching === undefined ? new PoolCall(parts) : this.#dispatcher.batching.create(parts, batching);
      nesting?.nested.add(call);
    } catch (thrown) {
      if (options.input !== undefined) discardUnopened(options.input);
      const error = invalidArguments(command, this.name, thrown);
      totals.onSettled(error.code);
      inherited.watcher?.onSettled(refusedOutcome(error));
      this.#meters?.meterOf(this.name, kind, command).onFailed(error.code, 0, 0);
      listener.onError(error);
      return undefined;
    }
    this.#dispatcher.admit(call);
    return call;
  }

  /**
   * Has the calls of a command batched, unless the pool's options say how.
   *
   * @param by who says so, for messages
   * @throws SnakepitError MISUSE where something else was declared before.
   */
  declareBatch(command: string, settings: BatchSettings, by: string): void {
    this.#batches.declare(command, settings, by);
    this.#applyBatches();
  }

  #learnBatches(commands: readonly CommandManifest[]): void {
    for (const command of this.#batches.learn(commands)) {
      const message = `the option 'batch' names '${command}', which is none of the workers' commands`;
      this.#parts.log({ level: 'warn', pool: this.name, message });
    }
    this.#applyBatches();
  }

  #learnContracts(commands: readonly CommandManifest[]): void {
    this.#contracts.learn(commands);
    this.#applyContracts();
  }

  #applyContracts(): void {
    for (const profiles of Object.values(this.#profiles)) {
      for (const [command, profile] of profiles) profile.contract = this.#contractOf(command);
    }
  }

  #contractOf(command: string): CommandContract | undefined {
    return this.#contracts.contractOf(command, this.#batches.lineOf(command) !== undefined);
  }

  #applyBatches(): void {
    for (const [command, profile] of this.#profiles.call) profile.batching = this.#batches.lineOf(command);
    this.#applyContracts();
  }

  #learnConcurrency(commands: readonly CommandManifest[]): void {
    if (!this.#concurrent.learn(commands)) return;
    for (const profiles of Object.values(this.#profiles)) {
      for (const [command, profile] of profiles) profile.isConcurrent = this.#concurrent.has(command);
    }
    this.#dispatcher.refile();
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
    if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE) {
      const reason = `'size' is ${String(size)}; allowed is an integer from 1 to ${MAX_SIZE}.`;
      throw new SnakepitError('INVALID_OPTIONS', { reason });
    }
    if (this.options.autoscale !== false) {
      const reason = `resize() is for pools of a fixed size; pool '${this.name}' has 'autoscale', whose 'min' and 'max' bound it.`;
      throw new SnakepitError('MISUSE', { reason });
    }
    this.#assertOpen();
    this.#supervisor.resize(size);
  }

  /**
   * Replaces all workers by such that load their code anew, `recycle.maxUnavailable` at a time; each replacement is ready before
   * its predecessor takes no more calls. Asked while it does so, it does it all again.
   *
   * @throws SnakepitError of the first worker that does not start; those that were not yet replaced stay.
   */
  async reload(): Promise<void> {
    this.#assertOpen();
    await this.#reload.run();
  }

  /** Replaces one worker, whose replacement is ready before it leaves, or all of them; see {@link reload}. */
  async restart(workerId?: string): Promise<void> {
    this.#assertOpen();
    if (workerId === undefined) return this.reload();
    const worker = [...this.#supervisor.workers].find(({ id }) => id === workerId);
    if (worker !== undefined) return void (await this.#supervisor.replace(worker, 'restart'));
    const known = [...this.#supervisor.workers].map(({ id }) => id).join(', ');
    const reason = `no worker '${workerId}' (there are ${known})`;
    throw new SnakepitError('INVALID_ARGUMENTS', { command: 'restart', pool: this.name, reason });
  }

  /** Takes no more calls and returns when those it has are through, or after `drainTimeoutMs`. */
  async drain(): Promise<void> {
    if (this.#life === 'new' || this.#life === 'open') this.#life = 'draining';
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
    this.#life = 'closed';
    this.#dispatcher.close();
    for (const worker of this.#supervisor.workers) if ((worker.channel?.inFlight ?? 0) > 0) worker.kill('close');
    await this.#supervisor.close(this.options.killGraceMs);
    this.#dispatcher.dispose();
  }

  get status(): PoolStatus {
    const ready = this.#dispatcher.lanes.length;
    if (this.#life !== 'open' || ready === 0) return 'down';
    // Workers that load has called for are no less than whole while they start.
    const { autoscale } = this.options;
    const whole = autoscale === false ? this.#supervisor.size : autoscale.min;
    return ready < whole ? 'degraded' : 'up';
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
    const now = this.#clock.now();
    return [...this.#supervisor.workers].map((worker) => {
      const { requests, errors, totalTimeUs } = this.#dispatcher.countersOf(worker);
      const manifest = worker.channel?.manifest;
      return {
        id: worker.id,
        pid: worker.pid,
        state: worker.state.kind,
        inFlight: worker.channel?.inFlight ?? 0,
        requests,
        errors,
        totalTimeMs: totalTimeUs / 1_000,
        uptimeMs: now - worker.startedAt,
        language: manifest?.language,
        runtime: manifest?.runtime && `${manifest.runtime.name} ${manifest.runtime.version}`,
        codec: manifest?.codec,
      };
    });
  }

  stats(): PoolStats {
    const { totals, lanes, lent, waiting, retrying, batching } = this.#dispatcher;
    const { requests, succeeded, cancelled: cancellations, errors, errorsByCode } = totals;
    const busy = lanes.filter((lane) => lane.inFlight > 0).length;
    return {
      pool: this.name,
      status: this.status,
      size: this.#supervisor.size,
      workers: this.#supervisor.workers.size,
      lent: this.#supervisor.lentCount,
      available: lanes.length - busy,
      busy,
      queued: waiting,
      retrying,
      inFlight: [...lanes, ...lent].reduce((sum, lane) => sum + lane.inFlight, batching.passengers),
      requests,
      succeeded,
      cancelled: cancellations,
      errors,
      errorsByCode: { ...errorsByCode },
      queueTimeouts: errorsByCode.QUEUE_TIMEOUT ?? 0,
      saturated: errorsByCode.POOL_SATURATED ?? 0,
      restarts: this.#supervisor.restarts,
      recycled: { ...this.#recycler.counts },
      batches: this.#batches.stats(),
      scaled: { ...this.#autoscaler.counts },
      sentBytes: this.#supervisor.traffic.sentBytes,
      receivedBytes: this.#supervisor.traffic.receivedBytes,
      pids: [...this.#supervisor.workers].flatMap(({ pid }) => pid ?? []),
    };
  }

  /** What the pool's processes take of the memory; undefined where the system does not tell (anything but Linux). */
  async memory(): Promise<PoolMemory | undefined> {
    const processes = (await Promise.all(this.#supervisor.processes.map(withMemory))).filter(
      (each) => each !== undefined,
    );
    if (processes.length === 0) return undefined;
    return { pssBytes: processes.reduce((sum, { pssBytes }) => sum + pssBytes, 0), processes };
  }

  /** What each worker's process takes of memory and CPU; empty where the system does not tell (anything but Linux). */
  async usage(): Promise<WorkerUsage[]> {
    const all = await Promise.all([...this.#supervisor.workers].map(withUsage));
    return all.filter((each) => each !== undefined);
  }

  /** Lets every call be counted, or none any more; whoever asks for it later takes the place of who did before. */
  meter(meters: CallMeters | undefined): void {
    this.#meters = meters;
    for (const kind of ['call', 'stream'] as const) {
      for (const [command, profile] of this.#profiles[kind]) {
        profile.meter = meters?.meterOf(this.name, kind, command);
      }
    }
  }

  /** Tells all workers that a session is over. */
  sessionClosed(session: string): void {
    for (const worker of this.#dispatcher.workers()) worker.channel?.sessionClosed(session);
  }

  // ---- what the supervisor tells -----------------------------------------------------------------------------------

  onReady(worker: Worker, isLent: boolean): void {
    const commands = worker.channel?.manifest.commands;
    if (commands !== undefined) {
      this.#learnBatches(commands);
      this.#learnContracts(commands);
      this.#learnConcurrency(commands);
    }
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
    this.#meters?.onWorkerMetrics(this.name, worker.id, data);
  }

  onHostCall({ method, args, call, trace }: HostCall): Promise<unknown> {
    const asking = call as PoolCall | undefined;
    const isOver = asking === undefined || asking.isSettled || asking.isOverdue;
    const runTool = <T>(blocks: boolean, task: (run: ToolRun) => Promise<T>): Promise<T> =>
      this.#dispatcher.runTool(call as PoolCall, blocks, task);
    return this.#parts.onHostCall({ method, args, call, trace, pool: this.name, isOver, runTool });
  }

  // ---- checks ------------------------------------------------------------------------------------------------------

  /** A draining pool still takes what its calls, or another pool's, need to end. */
  #assertOpen(nesting?: ToolRun): void {
    if (this.#life === 'open' || (this.#life === 'draining' && nesting !== undefined)) return;
    if (this.#life === 'new') {
      throw new SnakepitError('POOL_NOT_READY', { pool: this.name, reason: 'it was not started' });
    }
    throw new SnakepitError('POOL_CLOSED', { pool: this.name });
  }

  /** What the autoscaler goes by. */
  #load(nowMs: number): Omit<LoadSample, 'nowMs'> {
    const { size, startMs } = this.#supervisor;
    const { lanes, busyWorkers: busy } = this.#dispatcher;
    return { size, startMs, ready: lanes.length, busy, ...this.#dispatcher.waitForAny(nowMs) };
  }

  #prepareArgs(command: string, args: unknown): unknown {
    const { adapter } = this.options;
    const { supportedCommands } = adapter;
    if (supportedCommands !== undefined && !supportedCommands.includes(command)) {
      throw new SnakepitError('UNKNOWN_COMMAND', { command, pool: this.name, known: supportedCommands.join(', ') });
    }
    adapter.validate?.(command, args);
    return adapter.prepareArgs === undefined ? args : adapter.prepareArgs(command, args);
  }

  /** What is called on behalf of another call has no more time than that. */
  #timeoutOf(kind: CallKind, command: string, args: unknown, options: InheritedOptions, nesting?: ToolRun): number {
    const timeoutMs = this.#ownTimeoutOf(kind, command, args, options);
    if (nesting !== undefined) this.#assertShallow(command, nesting);
    const notAfter = Math.min(options.notAfter ?? Infinity, nesting?.caller.deadline ?? Infinity);
    return notAfter === Infinity ? timeoutMs : Math.max(1, Math.min(timeoutMs, notAfter - this.#clock.now()));
  }

  #assertShallow(command: string, { depth }: ToolRun): void {
    const { maxDepth } = this.options.nested;
    if (depth > maxDepth) throw new SnakepitError('NESTED_TOO_DEEP', { command, pool: this.name, depth, maxDepth });
  }

  #ownTimeoutOf(kind: CallKind, command: string, args: unknown, { timeoutMs }: CallOptions): number {
    if (timeoutMs !== undefined) return timeoutMs;
    const byAdapter = this.options.adapter.commandTimeoutMs?.(command, args);
    if (byAdapter === undefined) return kind === 'stream' ? this.options.streamTimeoutMs : this.options.timeoutMs;
    if (isTimeout(byAdapter)) return byAdapter;
    const reason = `The adapter's commandTimeoutMs returned ${String(byAdapter)} for '${command}'; allowed is a number above 0, or Infinity.`;
    throw new SnakepitError('MISUSE', { reason });
  }

  #profileOf(kind: CallKind, command: string): CommandProfile {
    const profiles = this.#profiles[kind];
    let profile = profiles.get(command);
    if (profile === undefined) {
      profile = new CommandProfile(kind, this.#concurrent.has(command));
      if (kind === 'call') profile.batching = this.#batches.lineOf(command);
      profile.contract = this.#contractOf(command);
      profile.meter = this.#meters?.meterOf(this.name, kind, command);
      if (profiles.size < MAX_PROFILES) profiles.set(command, profile);
    }
    return profile;
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

async function withUsage({ id, pid }: Worker): Promise<WorkerUsage | undefined> {
  const usage = pid === undefined ? undefined : await readProcessUsage(pid);
  return usage && { id, ...usage };
}

async function withMemory({ id, pid }: { id: string; pid: number }): Promise<ProcessMemoryInfo | undefined> {
  const memory = await readProcessMemory(pid);
  return memory && { id, pid, ...memory };
}
