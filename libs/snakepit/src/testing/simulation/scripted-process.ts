import type { Socket } from 'node:net';

import type { Timer } from '../../core/index.js';
import type { ExitCause, LaunchOptions, WorkerProcess } from '../../worker/index.js';
import { Termination } from '../../worker/termination.js';
import { drawStart, type Start } from './script.js';
import { ScriptedSocket } from './scripted-socket.js';
import { ScriptedWorker } from './scripted-worker.js';
import type { Body, Surroundings } from './surroundings.js';

/** A process that exists in the simulation only: it starts, reads what it is sent when it gets around to it, and ends. */
export class ScriptedProcess implements WorkerProcess, Body {
  readonly pid: number;
  readonly stderrTail = '';
  readonly wire: WorkerProcess['wire'];
  readonly id: string;
  isGone = false;
  /** Stopped by SIGSTOP: it does nothing, and only SIGKILL ends it. */
  isFrozen = false;

  readonly #world: Surroundings;
  readonly #owner: LaunchOptions['owner'];
  readonly #socket: ScriptedSocket;
  readonly #worker: ScriptedWorker;
  readonly #termination: Termination;
  readonly #timers = new Set<Timer>();
  readonly #isDeaf: boolean;
  /** What is written later is read later. */
  #readAt = 0;

  constructor(world: Surroundings, { owner, env }: LaunchOptions) {
    const { random, weather } = world;
    this.#world = world;
    this.#owner = owner;
    this.id = env['SNAKEPIT_WORKER_ID'] ?? '';
    this.pid = world.nextPid();
    this.#isDeaf = random.chance(weather.deaf);
    this.#termination = new Termination(world.clock, (signal) => this.#onSignal(signal));
    this.#socket = new ScriptedSocket((bytes, onTaken) => this.#onWritten(bytes, onTaken));
    this.#worker = new ScriptedWorker(world, this, drawStart(random, weather));
    this.wire = Promise.resolve({ protocol: 'v2', socket: this.#socket as unknown as Socket });
  }

  get start(): Start {
    return this.#worker.start;
  }

  get isDeaf(): boolean {
    return this.#isDeaf;
  }

  get hasRoom(): boolean {
    return !this.#socket.isFull;
  }

  terminate(graceMs: number): void {
    this.#termination.begin(graceMs);
  }

  terminateAfter(delayMs: number, graceMs: number): void {
    this.#termination.beginAfter(delayMs, graceMs);
  }

  channelClosed(_reason: string | undefined, delayMs: number, graceMs: number): void {
    this.terminateAfter(delayMs, graceMs);
  }

  /** Does something later, unless the process is gone by then; a frozen one does nothing. */
  after(delayMs: number, act: () => void): Timer {
    const timer = this.#world.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      if (!this.isGone && !this.isFrozen) act();
    });
    this.#timers.add(timer);
    return timer;
  }

  send(bytes: Buffer): void {
    if (!this.isGone) this.#socket.receive(bytes);
  }

  /** Reads nothing for a while. */
  stopReading(forMs: number): void {
    if (this.isGone || this.#socket.isFull) return;
    this.#socket.isFull = true;
    const timer = this.#world.clock.after(forMs, () => {
      this.#timers.delete(timer);
      if (!this.isGone) this.#socket.drain();
    });
    this.#timers.add(timer);
  }

  /** The process ends; the host may hear of its socket or of its exit first. */
  end(cause: ExitCause): void {
    if (this.isGone) return;
    this.isGone = true;
    this.#world.note(`${this.id} ends: ${JSON.stringify(cause)}`);
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#termination.end();
    const { clock, random, weather } = this.#world;
    const isSocketFirst = random.chance(weather.socketFirst);
    if (isSocketFirst) this.#socket.end();
    clock.after(random.between(0, 3), () => {
      this.#world.gone(this);
      this.#owner.onExit(cause);
      if (!isSocketFirst) this.#socket.end();
    });
  }

  #onSignal(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#world.note(`${this.id} gets ${signal}`);
    if (signal === 'SIGKILL') return this.end({ kind: 'signal', signal });
    if (this.#isDeaf || this.isFrozen) return;
    this.after(this.#world.random.between(0, 5), () => this.end({ kind: 'signal', signal }));
  }

  /** The bytes are the host's again once they are taken. */
  #onWritten(bytes: Buffer, onTaken: () => void): void {
    const frames = this.#worker.take(bytes);
    onTaken();
    // The host may not know yet that nobody reads.
    if (this.isGone) return;
    const { clock, random } = this.#world;
    this.#readAt = Math.max(this.#readAt, clock.now() + random.between(0.005, 0.2));
    this.after(this.#readAt - clock.now(), () => this.#worker.read(frames));
  }
}
