import { randomBytes } from 'node:crypto';

import type { ErrorBody, ForkOrder, ForkOutcome, ZygoteMessage } from '../codec/index.js';
import type { Clock, LogLevel, LogSink, Timer } from '../core/index.js';
import type { ExitCause } from './exit-cause.js';
import { ForkedProcess } from './forked-process.js';
import type { LaunchSpec, ZygoteSpec } from './launch-spec.js';
import type { LaunchOptions, WorkerProcess } from './process.js';
import { ARENA_FD, SpawnedProcess } from './spawned-process.js';
import { startFailed } from './start-failure.js';
import { ZygoteControl, type ControlOwner } from './zygote-control.js';
import type { ZygoteDoor } from './zygote-door.js';

/** How long a zygote that is to fork may say nothing: a fork takes it milliseconds, so it is stopped, swapped out or stuck. */
const SILENCE_MS = 2_000;
const TOKEN_BYTES = 16;

export interface ZygoteSettings {
  readonly startTimeoutMs: number;
  readonly killGraceMs: number;
}

export interface ZygoteParts {
  /** Unique within the host, such as `reports-zygote`. */
  readonly id: string;
  readonly pool: string;
  readonly spec: LaunchSpec & { readonly zygote: ZygoteSpec };
  readonly env: Readonly<Record<string, string>>;
  /** Its own from now on. */
  readonly door: ZygoteDoor;
  readonly settings: ZygoteSettings;
  readonly hasArenas: boolean;
  readonly clock: Clock;
  readonly log: LogSink;
  /** It was ready, nobody asked it to leave, and it is gone. */
  readonly onLost: (zygote: Zygote, cause: ExitCause) => void;
}

type ZygoteState = 'starting' | 'ready' | 'leaving' | 'gone';

/** A process that has imported a pool's modules and forks its workers. */
export class Zygote implements ControlOwner {
  /** @throws SnakepitError WORKER_START_FAILED */
  readonly ready: Promise<void>;
  /** Resolves when its process is gone and its door is shut. */
  readonly gone: Promise<void>;

  readonly #parts: ZygoteParts;
  readonly #process: SpawnedProcess;
  readonly #children = new Map<number, ForkedProcess>();
  /** Those of them that are not forked yet. */
  readonly #awaited = new Set<number>();
  readonly #startTimer: Timer;
  /** Runs while any are awaited. */
  #patience: Timer | undefined;
  #control: ZygoteControl | undefined;
  #state: ZygoteState = 'starting';
  #nextNumber = 1;
  #isRetired = false;
  #isDoomed = false;
  #startFailure: { readonly reason: string; readonly traceback: string } | undefined;
  #onReady: () => void = () => {};
  #onStartFailed: (error: Error) => void = () => {};
  #onGone: () => void = () => {};

  constructor(parts: ZygoteParts) {
    const { spec, env, door, settings, hasArenas, clock } = parts;
    this.#parts = parts;
    this.ready = new Promise((resolve, reject) => {
      this.#onReady = resolve;
      this.#onStartFailed = reject;
    });
    this.gone = new Promise((resolve) => {
      this.#onGone = resolve;
    });
    this.#startTimer = clock.after(settings.startTimeoutMs, () => this.#onStartTimeout());
    this.#process = new SpawnedProcess({
      spec: { ...spec, args: spec.zygote.args },
      env: { ...env, SNAKEPIT_DOOR: door.path, ...(hasArenas && { SNAKEPIT_ARENA_FD: String(ARENA_FD) }) },
      // Its forks would all share it.
      arenaFd: undefined,
      isSurvived: true,
      clock,
      owner: {
        onLine: (stream, message) => this.#log(stream === 'stdout' ? 'info' : 'warn', message),
        onExit: (cause) => void this.#onExit(cause),
      },
    });
    void this.#connect();
  }

  get id(): string {
    return this.#parts.id;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get isReady(): boolean {
    return this.#state === 'ready' && !this.#isRetired && !this.#isDoomed;
  }

  /** Only while it is ready. What it does not come to fork ends by a cause of kind `unknown`, and has no pid. */
  fork(options: LaunchOptions): WorkerProcess {
    const { door } = this.#parts;
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    const token = randomBytes(TOKEN_BYTES).toString('hex');
    const child = new ForkedProcess(options, () => {
      door.forget(token);
      this.#children.delete(number);
      this.#awaited.delete(number);
      this.#leaveIfIdle();
    });
    this.#children.set(number, child);
    this.#awaited.add(number);
    if (this.#awaited.size === 1) this.#waitForSign();
    door.expect(token, (role, socket) => child.onArrival(role, socket));
    this.#control?.fork(number, { token, env: options.env, ...arenaOf(options) });
    return child;
  }

  /** Forks no more, and leaves when the last of its workers has. */
  retire(): void {
    this.#isRetired = true;
    this.#leaveIfIdle();
  }

  /** Ends it, and with it every worker that it forked and that is still there. */
  close(): Promise<void> {
    if (this.#state === 'starting') this.#startFailure ??= { reason: 'it was stopped while it started', traceback: '' };
    if (this.#state !== 'gone') {
      this.#state = 'leaving';
      this.#control?.close();
      const { killGraceMs } = this.#parts.settings;
      this.#process.terminateAfter(killGraceMs, killGraceMs);
    }
    return this.gone;
  }

  onMessage(message: ZygoteMessage): void {
    switch (message.kind) {
      case 'ready':
        return this.#onHello();
      case 'failed':
        return this.#onRefused(message.error);
      case 'forked':
        this.#onSettled(message.number);
        return this.#children.get(message.number)?.onForked(message.pid);
      case 'refused':
        this.#onSettled(message.number);
        return this.#children.get(message.number)?.onExited(notForked(message.error));
      case 'exited':
        return this.#children.get(message.number)?.onExited(exitCause(message.outcome));
    }
  }

  onBroken(error: Error): void {
    this.#end(`it broke the protocol (${error.message})`);
  }

  async #connect(): Promise<void> {
    const wire = await this.#process.wire;
    if (wire.protocol === 'v2' && this.#state === 'starting') this.#control = new ZygoteControl(wire.socket, this);
  }

  #onSettled(number: number): void {
    this.#awaited.delete(number);
    this.#waitForSign();
  }

  /** One fork after the other may take its time, as long as the zygote goes on telling of them. */
  #waitForSign(): void {
    this.#patience?.cancel();
    const { clock } = this.#parts;
    const onSilence = (): void => {
      if (this.#awaited.size > 0) this.#end(`it was to fork and said nothing for ${SILENCE_MS} ms`);
    };
    this.#patience = this.#awaited.size === 0 ? undefined : clock.after(SILENCE_MS, onSilence);
  }

  #onHello(): void {
    if (this.#state !== 'starting') return;
    this.#startTimer.cancel();
    this.#state = 'ready';
    this.#onReady();
  }

  #onRefused({ type, message, traceback }: ErrorBody): void {
    this.#startFailure ??= {
      reason: type === undefined ? message : `${type}: ${message}`,
      traceback: traceback ?? '',
    };
    const { killGraceMs } = this.#parts.settings;
    this.#process.terminateAfter(killGraceMs, killGraceMs);
  }

  #onStartTimeout(): void {
    const { startTimeoutMs } = this.#parts.settings;
    this.#startFailure ??= { reason: `it was not ready within ${startTimeoutMs} ms (startTimeoutMs)`, traceback: '' };
    this.#process.terminate(0);
  }

  #end(reason: string): void {
    this.#startFailure ??= { reason, traceback: '' };
    this.#isDoomed = true;
    this.#log('error', `${reason}; it is killed and replaced`);
    this.#process.terminate(0);
  }

  #leaveIfIdle(): void {
    if (this.#isRetired && this.#children.size === 0) void this.close();
  }

  async #onExit(cause: ExitCause): Promise<void> {
    const { door, onLost } = this.#parts;
    const before = this.#state;
    this.#state = 'gone';
    this.#startTimer.cancel();
    this.#patience?.cancel();
    // Told first, since whoever is left alone may be launched again.
    if (before === 'ready') onLost(this, cause);
    for (const child of this.#children.values()) child.onOrphaned();
    await door.close();
    this.#onStartFailed(this.#startError(cause));
    this.#onGone();
  }

  #startError(cause: ExitCause): Error {
    const { id, pool, spec } = this.#parts;
    const { reason, traceback } = this.#startFailure ?? { reason: undefined, traceback: '' };
    const { stderrTail: stderr } = this.#process;
    const { executable, zygote, searchPaths, remedyFor } = spec;
    return startFailed({
      worker: id,
      pool,
      executable,
      args: zygote.args,
      searchPaths,
      cause,
      reason,
      traceback,
      stderr,
      remedyFor,
    });
  }

  #log(level: LogLevel, message: string): void {
    const { id, pool, log } = this.#parts;
    log({ level, message, pool, worker: id });
  }
}

/** A forked worker cannot be handed a descriptor, but may open what the host has open. */
function arenaOf({ arenaFd }: LaunchOptions): Pick<ForkOrder, 'arena'> {
  return arenaFd === undefined ? {} : { arena: `/proc/${process.pid}/fd/${arenaFd}` };
}

function notForked({ type, message }: ErrorBody): ExitCause {
  return { kind: 'not-spawned', message: type === undefined ? message : `${type}: ${message}` };
}

function exitCause(outcome: ForkOutcome): ExitCause {
  return 'signal' in outcome
    ? { kind: 'signal', signal: outcome.signal as NodeJS.Signals }
    : { kind: 'exit', status: outcome.status };
}
