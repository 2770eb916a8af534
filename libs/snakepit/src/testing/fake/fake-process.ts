import type { Socket } from 'node:net';

import type { Timer } from '../../core/index.js';
import { Termination } from '../../worker/termination.js';
import type { ExitCause, LaunchOptions, Wire, WorkerProcess } from '../../worker/index.js';
import type { Bridge, BridgeWorker, BridgeWorkerParts } from './bridge.js';
import type { FakeWorker } from './context.js';
import { MemoryWire, type FarEnd } from './memory-wire.js';

/** What a fake's workers have in common. */
export interface FakeCast extends Pick<BridgeWorkerParts, 'exported' | 'origin' | 'observer'> {
  readonly bridge: Bridge;
  readonly hooksOf: (worker: FakeWorker) => BridgeWorkerParts['hooks'];
  readonly around: (process: FakeProcess) => BridgeWorkerParts['around'];
  readonly onEnded: (process: FakeProcess) => void;
}

/** A worker's process that is none: it lives and dies as one does, within the host's. */
export class FakeProcess implements WorkerProcess, FarEnd, FakeWorker {
  readonly pid = undefined;
  readonly stderrTail = '';
  readonly wire: Promise<Wire>;
  readonly id: string;
  readonly pool: string;
  readonly env: Readonly<Record<string, string>>;
  readonly clock: LaunchOptions['clock'];
  readonly #owner: LaunchOptions['owner'];
  readonly #cast: FakeCast;
  readonly #socket: MemoryWire;
  readonly #worker: BridgeWorker;
  readonly #termination: Termination;
  readonly #timers = new Set<Timer>();
  #blocks = 0;
  #isFrozen = false;
  #isStopping = false;
  #isGone = false;

  constructor(cast: FakeCast, { env, owner, clock }: LaunchOptions) {
    this.#cast = cast;
    this.#owner = owner;
    this.env = env;
    this.id = env['SNAKEPIT_WORKER_ID'] ?? '';
    this.pool = env['SNAKEPIT_POOL'] ?? '';
    this.clock = clock;
    this.#termination = new Termination(clock, (signal) => this.#onSignal(signal));
    this.#socket = new MemoryWire(this);
    this.#worker = new cast.bridge.InProcessWorker({
      exported: cast.exported,
      origin: cast.origin,
      observer: cast.observer,
      hooks: cast.hooksOf(this),
      socket: this.#socket.farSocket,
      clock,
      worker: this,
      around: cast.around(this),
      onExit: (status) => this.end({ kind: 'exit', status }),
    });
    // As much of a socket as a channel uses.
    this.wire = Promise.resolve({ protocol: 'v2', socket: this.#socket as unknown as Socket });
  }

  // ---- what a command does to it -----------------------------------------------------------------------------------

  exit(status = 0): Promise<never> {
    return this.#die({ kind: 'exit', status });
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<never> {
    return this.#die({ kind: 'signal', signal });
  }

  async block(ms: number): Promise<void> {
    this.#blocks += 1;
    this.#adjustReading();
    await this.delay(ms);
    this.#blocks -= 1;
    this.#adjustReading();
  }

  print(line: string, stream: 'stdout' | 'stderr' = 'stdout'): void {
    if (!this.#isGone) this.#owner.onLine(stream, line);
  }

  /** As SIGSTOP does, until {@link thaw}: it reads, answers and obeys nothing but SIGKILL. */
  freeze(): void {
    this.#isFrozen = true;
    this.#adjustReading();
  }

  thaw(): void {
    this.#isFrozen = false;
    this.#adjustReading();
  }

  /** Some time of the worker's own, which ends with it. */
  delay(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isGone || signal?.aborted === true) return resolve();
      const done = (): void => {
        timer.cancel();
        this.#timers.delete(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.clock.after(ms, done);
      this.#timers.add(timer);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  // ---- what its host does ------------------------------------------------------------------------------------------

  terminate(graceMs: number): void {
    this.#termination.begin(graceMs);
  }

  terminateAfter(delayMs: number, graceMs: number): void {
    this.#termination.beginAfter(delayMs, graceMs);
  }

  channelClosed(_reason: string | undefined, delayMs: number, graceMs: number): void {
    this.terminateAfter(delayMs, graceMs);
  }

  read(bytes: Buffer): void {
    if (!this.#isGone) this.#worker.read(bytes);
  }

  /** The host has closed the connection: a worker ends with it. */
  closed(): void {
    this.end({ kind: 'signal', signal: 'SIGKILL' });
  }

  end(cause: ExitCause): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#termination.end();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#worker.abandon();
    this.#cast.onEnded(this);
    // As with a process, whoever asks for the end hears of it later.
    this.#socket.hangUp(() => this.#owner.onExit(cause));
  }

  #die(cause: ExitCause): Promise<never> {
    this.end(cause);
    return new Promise(() => {});
  }

  #onSignal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (signal === 'SIGKILL') return this.end({ kind: 'signal', signal, origin: 'host' });
    this.#isStopping = true;
    this.#stop();
  }

  /** SIGTERM waits until the worker has hands for it. */
  #stop(): void {
    if (!this.#isStopping || !this.#isReading || this.#isGone) return;
    this.#isStopping = false;
    void this.#worker.stop();
  }

  get #isReading(): boolean {
    return this.#blocks === 0 && !this.#isFrozen;
  }

  #adjustReading(): void {
    this.#socket.setReading(this.#isReading);
    this.#stop();
  }
}
