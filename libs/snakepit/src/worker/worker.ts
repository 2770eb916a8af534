import {
  HandshakeRefused,
  type Channel,
  type ChannelCall,
  type ChannelFailure,
  type ChannelName,
  type ChannelOwner,
  type CallId,
  type HostCall,
  type Traffic,
} from '../channel/index.js';
import { METRICS_EVENT, SPANS_EVENT, type LogBody } from '../codec/index.js';
import {
  hasListeners,
  publish,
  toError,
  type Clock,
  type LogSink,
  type SnakepitError,
  type Timer,
} from '../core/index.js';
import { eventCallOf } from './event-call.js';
import type { ExitCause } from './exit-cause.js';
import type { WorkerSpec } from './launch-spec.js';
import { Link } from './link.js';
import type { Launch, WorkerProcess } from './process.js';
import { Pulse } from './pulse.js';
import { ASKED_STACK_BUDGET_MS, SIGNALLED_STACK_BUDGET_MS, StackDump } from './stack-dump.js';
import { startErrorOf, type StartProblem } from './start-failure.js';
import { connectionLost, protocolBroken, workerGone } from './worker-errors.js';
import { WorkerLog } from './worker-log.js';
import type { WorkerSettings } from './worker-settings.js';
import { isLegalMove, reasonOf, type DrainReason, type WorkerState } from './worker-state.js';

/** How long a worker whose channel closed may take to exit by itself, so that its own exit status is what is told. */
const EXIT_AFTER_CLOSE_MS = 250;

export interface WorkerParts {
  /** Unique within the host, such as `reports-2`. */
  readonly id: string;
  readonly pool: string;
  /** Tells the worker's `Snakepit` from others of this process. */
  readonly instance: string;
  readonly spec: WorkerSpec;
  readonly env: Readonly<Record<string, string>>;
  readonly launch: Launch;
  readonly settings: WorkerSettings;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly owner: WorkerOwner;
  /** Takes the spans that the worker has recorded, unchecked. */
  readonly onSpans?: ((worker: string, spans: unknown) => void) | undefined;
}

/** A call that a worker did not get to answer. */
export interface OrphanedCall {
  readonly call: ChannelCall;
  /** False when its frame never left the host: then it certainly did not start. */
  readonly wasWritten: boolean;
}

/** What a worker tells its owner, the pool. */
export interface WorkerOwner {
  /** Where its channel counts. */
  readonly traffic: Traffic;
  onReady(worker: Worker): void;
  /** It takes no more calls; those it has go on. */
  onUnavailable(worker: Worker): void;
  /** Its channel is full, or has room again. */
  onRoom(worker: Worker, hasRoom: boolean): void;
  /** It will answer no more: these calls are its owner's to settle, with `error`. `cause` tells how it died, if it died by itself. */
  onCallsLost(calls: readonly OrphanedCall[], error: (call: ChannelCall) => SnakepitError, cause?: ExitCause): void;
  /** Its process is gone. `startError` tells why, if it never became ready. */
  onDead(worker: Worker, cause: ExitCause, startError: SnakepitError | undefined): void;
  onHostCall(call: HostCall): Promise<unknown>;
  /** Its commands have measured something; `data` is as the worker sent it. */
  onMetrics(worker: Worker, data: unknown): void;
}

/** One process and its channel, from spawn to exit. */
export class Worker implements ChannelOwner {
  readonly id: string;
  readonly startedAt: number;

  readonly #parts: WorkerParts;
  readonly #process: WorkerProcess;
  readonly #name: ChannelName;
  readonly #log: WorkerLog;
  readonly #link: Link;
  readonly #pulse: Pulse;
  readonly #stackDump: StackDump;
  readonly #startTimer: Timer;
  #exitTimer: Timer | undefined;
  #lostConnection = false;
  #state: WorkerState;
  /** Why it cannot become ready; known before its process is gone. */
  #startFailure: StartProblem | undefined;

  constructor(parts: WorkerParts) {
    const { id, pool, spec, clock, settings, log } = parts;
    this.id = id;
    this.#parts = parts;
    const name = (this.#name = { pool, worker: id });
    this.startedAt = clock.now();
    this.#state = { kind: 'starting', sinceMs: this.startedAt };
    this.#pulse = new Pulse(settings.heartbeatIntervalMs, settings.heartbeatTimeoutMs);
    this.#stackDump = new StackDump(clock);
    this.#log = new WorkerLog({ name, clock, log, maxLogRate: settings.maxLogRate });
    this.#link = new Link({ name, spec, settings, clock, tell: (level, message) => this.#log.tell(level, message) });
    this.#process = parts.launch({
      arenaFd: this.#link.arenaFd,
      env: parts.env,
      clock,
      owner: {
        onLine: (stream, line) => this.#onLine(stream, line),
        onExit: (cause) => this.#onExit(cause),
      },
    });
    this.#startTimer = clock.after(settings.startTimeoutMs, () => this.#onStartTimeout());
    void this.#connect();
  }

  get traffic(): Traffic {
    return this.#parts.owner.traffic;
  }

  get state(): WorkerState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The channel while calls can be in flight on it. */
  get channel(): Channel | undefined {
    const state = this.#state;
    return state.kind === 'ready' || state.kind === 'draining' ? state.channel : undefined;
  }

  /** Takes no more calls, lets those it has finish, then asks the process to exit. */
  drain(reason: DrainReason): void {
    const state = this.#state;
    switch (state.kind) {
      case 'ready':
        this.#enter({ kind: 'draining', channel: state.channel, reason });
        this.#parts.owner.onUnavailable(this);
        return this.leaveIfIdle();
      case 'starting':
        this.#startFailure ??= { reason: 'it was stopped while it started' };
        return this.#process.terminate(this.#parts.settings.killGraceMs);
      case 'draining':
      case 'dead':
        return;
    }
  }

  /** To be told whenever a call of a draining worker is through. */
  leaveIfIdle(): void {
    const state = this.#state;
    if (state.kind !== 'draining' || state.channel.inFlight > 0) return;
    const { killGraceMs } = this.#parts.settings;
    state.channel.shutdown();
    this.#process.terminateAfter(killGraceMs, killGraceMs);
  }

  /** Ends the process whatever it does; `graceMs` lies between SIGTERM and SIGKILL, 0 kills at once. */
  kill(reason: DrainReason, graceMs = this.#parts.settings.killGraceMs): void {
    const state = this.#state;
    if (state.kind === 'dead') return;
    if (state.kind === 'ready') {
      this.#enter({ kind: 'draining', channel: state.channel, reason });
      this.#parts.owner.onUnavailable(this);
    } else if (state.kind === 'starting') {
      this.#startFailure ??= { reason: 'it was stopped while it started' };
    }
    this.#process.terminate(graceMs);
  }

  /** {@link kill}, should the process still be there in `delayMs`; for one that drains. */
  killAfter(delayMs: number): void {
    this.#process.terminateAfter(delayMs, this.#parts.settings.killGraceMs);
  }

  /** One look at the heartbeat, to be taken every `heartbeatIntervalMs`. */
  checkPulse(nowMs: number): void {
    const { channel } = this;
    if (channel === undefined) return;
    const canAnswer = channel.inFlight === 0 || channel.manifest.answersWhileBusy;
    const decision = this.#pulse.look({ nowMs, lastHeardAt: channel.lastHeardAt, canAnswer });
    if (decision === 'ping') channel.ping();
    if (decision !== 'frozen') return;
    this.#log.tell(
      'error',
      `no sign of life for ${this.#parts.settings.heartbeatTimeoutMs} ms; it is killed and replaced`,
    );
    // A stopped process does not see SIGTERM.
    this.kill('frozen', 0);
  }

  /** What its threads are doing, as the worker itself writes it; undefined where it cannot, or was asked just before. */
  dumpStacks(): Promise<string | undefined> | undefined {
    const { channel, pid } = this;
    if (channel === undefined || pid === undefined) return undefined;
    const { askForStacks } = this.#process;
    if (askForStacks !== undefined) return this.#stackDump.request(askForStacks, ASKED_STACK_BUDGET_MS);
    const signal = channel.manifest.stackSignal;
    if (signal === undefined) return undefined;
    return this.#stackDump.request(() => {
      try {
        process.kill(pid, signal);
      } catch {
        // ESRCH: it is gone. EPERM: it is another user's.
      }
    }, SIGNALLED_STACK_BUDGET_MS);
  }

  onLog(record: LogBody, call?: ChannelCall, callId: CallId = 0): void {
    this.#log.onRecord(record, call, callId);
  }

  onEvent(name: string, data: unknown, call: ChannelCall | undefined): void {
    if (name === SPANS_EVENT) return this.#parts.onSpans?.(this.id, data);
    if (name === METRICS_EVENT) return this.#parts.owner.onMetrics(this, data);
    if (!hasListeners('snakepit:worker-event')) return;
    const { instance, pool } = this.#parts;
    publish('snakepit:worker-event', { instance, pool, worker: this.id, name, data, call: eventCallOf(call) });
  }

  onHostCall(call: HostCall): Promise<unknown> {
    return this.#parts.owner.onHostCall(call);
  }

  onRoom(hasRoom: boolean): void {
    this.#parts.owner.onRoom(this, hasRoom);
  }

  onFailed(failure: ChannelFailure): void {
    const { settings, owner } = this.#parts;
    const state = this.#state;
    if (state.kind !== 'ready' && state.kind !== 'draining') return;
    if (failure.kind === 'closed') {
      if (state.kind === 'ready') {
        this.#enter({ kind: 'draining', channel: state.channel, reason: 'channel-closed' });
        owner.onUnavailable(this);
      }
      this.#awaitExit(failure.reason);
      return this.#process.channelClosed(failure.reason, EXIT_AFTER_CLOSE_MS, settings.killGraceMs);
    }
    const { reason } = failure;
    this.#log.tell('error', `it broke the wire protocol (${reason}); it is killed and replaced`);
    this.kill('protocol-error');
    owner.onCallsLost(state.channel.abandon(), (call) => protocolBroken(this.#name, call, reason));
  }

  /** A connection that broke off, and not with its process: then it is the network that the calls were lost to. */
  #awaitExit(reason: string | undefined): void {
    if (reason === undefined) return;
    this.#exitTimer = this.#parts.clock.after(EXIT_AFTER_CLOSE_MS, () => {
      const state = this.#state;
      if (state.kind !== 'draining') return;
      this.#lostConnection = true;
      this.#log.tell(
        'error',
        `its connection is lost (${reason}) while its process lives on; it is killed and replaced`,
      );
      const error = (call: ChannelCall): SnakepitError => connectionLost(this.#name, call, reason);
      this.#parts.owner.onCallsLost(state.channel.abandon(), error);
    });
  }

  async #connect(): Promise<void> {
    try {
      const wire = await this.#process.wire;
      this.#onConnected(await this.#link.open(wire, this.#process, this));
    } catch (thrown) {
      this.#onHandshakeFailed(toError(thrown));
    }
  }

  #onConnected(channel: Channel): void {
    if (this.#state.kind !== 'starting' || this.#startFailure !== undefined) {
      channel.abandon();
      return;
    }
    this.#startTimer.cancel();
    this.#enter({ kind: 'ready', channel, startMs: this.#parts.clock.now() - this.startedAt });
    this.#parts.owner.onReady(this);
  }

  #onHandshakeFailed(error: Error): void {
    if (this.#state.kind !== 'starting') return;
    const { traceback = '', remedy } = error instanceof HandshakeRefused ? error : {};
    this.#startFailure ??= { reason: error.message, traceback, remedy };
    this.#process.channelClosed(error.message, EXIT_AFTER_CLOSE_MS, this.#parts.settings.killGraceMs);
  }

  #onStartTimeout(): void {
    if (this.#state.kind !== 'starting') return;
    const { startTimeoutMs, killGraceMs } = this.#parts.settings;
    const { awaits } = this.#process;
    const detail = awaits === undefined ? '' : `: ${awaits}`;
    this.#startFailure ??= { reason: `it was not ready within ${startTimeoutMs} ms (startTimeoutMs)${detail}` };
    this.#process.terminate(killGraceMs);
  }

  #onExit(cause: ExitCause): void {
    this.#startTimer.cancel();
    this.#exitTimer?.cancel();
    this.#stackDump.end();
    this.#log.end();
    const { owner } = this.#parts;
    const before = this.#state;
    const startError = before.kind === 'starting' ? this.#startError(cause) : undefined;
    const reason = this.#lostConnection ? 'connection-lost' : before.kind === 'draining' ? before.reason : undefined;
    this.#enter({ kind: 'dead', cause, reason });
    if (before.kind === 'ready') owner.onUnavailable(this);
    if (before.kind === 'ready' || before.kind === 'draining') {
      const error = (call: ChannelCall): SnakepitError => workerGone(this.#name, call, cause, reason);
      const diedByItself = reason === undefined || reason === 'channel-closed';
      owner.onCallsLost(before.channel.abandon(), error, diedByItself ? cause : undefined);
    }
    this.#link.close();
    owner.onDead(this, cause, startError);
  }

  #startError(cause: ExitCause): SnakepitError {
    const context = { ...this.#name, spec: this.#parts.spec, process: this.#process };
    return startErrorOf(context, this.#startFailure, cause);
  }

  #enter(next: WorkerState): void {
    const from = this.#state;
    if (!isLegalMove(from.kind, next.kind)) {
      throw new Error(`worker '${this.id}' cannot go from ${from.kind} to ${next.kind}`);
    }
    this.#state = next;
    const { instance, pool } = this.#parts;
    const startMs = next.kind === 'ready' ? next.startMs : undefined;
    publish('snakepit:worker', {
      instance,
      pool,
      worker: this.id,
      pid: this.pid,
      from: from.kind,
      to: next.kind,
      reason: reasonOf(next),
      startMs,
    });
  }

  #onLine(stream: 'stdout' | 'stderr', line: string): void {
    if (stream === 'stderr' && this.#stackDump.takes(line)) return;
    this.#log.onLine(stream, line);
  }
}
