import type { Socket } from 'node:net';

import type { Timer } from '../../core/index.js';
import type { ExitCause, LaunchOptions, WorkerProcess } from '../../worker/index.js';
import type { Wire } from '../../worker/process.js';
import { Termination } from '../../worker/termination.js';
import { drawStart, type Start } from './script.js';
import { ScriptedSocket } from './scripted-socket.js';
import { ScriptedWorker } from './scripted-worker.js';
import type { Body, Surroundings } from './surroundings.js';

/** How long after the end of its connection a process is given up of which nobody tells the end. */
const ORPHAN_GRACE_MS = 200;

const NO_TIMER: Timer = { cancel: () => {}, unref: () => {} };

/** A process that exists in the simulation only: it starts, reads what it is sent when it gets around to it, and ends. */
export class ScriptedProcess implements WorkerProcess, Body {
  readonly ownPid: number;
  readonly stderrTail = '';
  readonly wire: WorkerProcess['wire'];
  readonly id: string;
  isGone = false;
  /** Stopped by SIGSTOP: it does nothing, and only SIGKILL ends it. */
  isFrozen = false;
  /** The host has asked it to end, or is about to. */
  isDismissed = false;

  readonly #world: Surroundings;
  readonly #owner: LaunchOptions['owner'];
  readonly #socket: ScriptedSocket;
  readonly #worker: ScriptedWorker;
  readonly #termination: Termination;
  readonly #timers = new Set<Timer>();
  readonly #isDeaf: boolean;
  /** Forked by a process that is gone by its end: then nobody tells how it ended. */
  readonly #isOrphan: boolean;
  /** It exists: one that is forked does so only after a while. */
  #isThere = true;
  /** It was to be killed before it existed. */
  #isUnwanted = false;
  /** What is written later is read later. */
  #readAt = 0;

  constructor(world: Surroundings, { owner, env }: LaunchOptions) {
    const { random, weather } = world;
    this.#world = world;
    this.#owner = owner;
    this.id = env['SNAKEPIT_WORKER_ID'] ?? '';
    this.ownPid = world.nextPid();
    this.#isDeaf = random.chance(weather.deaf);
    this.#termination = new Termination(world.clock, (signal) => this.#onSignal(signal));
    this.#socket = new ScriptedSocket((bytes, onTaken) => this.#onWritten(bytes, onTaken));
    this.#worker = new ScriptedWorker(world, this, drawStart(random, weather));
    this.#isOrphan = this.start === 'late' && random.chance(0.2);
    this.wire = this.#connect();
  }

  get pid(): number | undefined {
    return this.#isThere ? this.ownPid : undefined;
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
    this.isDismissed = true;
    this.#termination.begin(graceMs);
  }

  terminateAfter(delayMs: number, graceMs: number): void {
    this.isDismissed = true;
    this.#termination.beginAfter(delayMs, graceMs);
  }

  channelClosed(_reason: string | undefined, delayMs: number, graceMs: number): void {
    this.terminateAfter(delayMs, graceMs);
  }

  /** Does something later, unless the process is gone by then; a frozen one does nothing. */
  after(delayMs: number, act: () => void): Timer {
    if (this.isGone) return NO_TIMER;
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
    const isSocketFirst = this.#isOrphan || random.chance(weather.socketFirst);
    if (isSocketFirst) this.#socket.end();
    const told: ExitCause = this.#isOrphan ? { kind: 'unknown', message: 'scripted' } : cause;
    clock.after(this.#isOrphan ? ORPHAN_GRACE_MS : random.between(0, 3), () => {
      this.#world.gone(this);
      this.#owner.onExit(told);
      if (!isSocketFirst) this.#socket.end();
    });
  }

  /** Settles when the process exists: at once, later, or never. */
  async #connect(): Promise<Wire> {
    const wire: Wire = { protocol: 'v2', socket: this.#socket as unknown as Socket };
    if (this.start !== 'late' && this.start !== 'never') return wire;
    this.#isThere = false;
    await new Promise<void>((resolve) => {
      this.after(this.#world.random.between(0, 8), resolve);
    });
    if (this.start === 'never') this.end({ kind: 'not-spawned', message: 'scripted' });
    else this.#isThere = true;
    if (this.#isUnwanted) this.end({ kind: 'signal', signal: 'SIGKILL', origin: 'host' });
    return this.isGone ? new Promise(() => {}) : wire;
  }

  #onSignal(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#world.note(`${this.id} gets ${signal}`);
    if (!this.#isThere && !this.isFrozen) {
      this.#isUnwanted ||= signal === 'SIGKILL';
      return;
    }
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
