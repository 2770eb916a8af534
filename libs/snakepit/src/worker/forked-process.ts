import type { Socket } from 'node:net';

import type { Clock } from '../core/index.js';
import { signalCause, type ExitCause } from './exit-cause.js';
import { splitLines } from './line-splitter.js';
import { LineTail } from './line-tail.js';
import { orphanGuard } from './orphan-guard.js';
import type { LaunchOptions, ProcessOwner, Wire, WorkerProcess } from './process.js';
import { Termination } from './termination.js';
import { WORKER_MARK } from './worker-environment.js';
import { ROLES, type Role } from './zygote-door.js';

/** How long output may still trickle in behind the exit, where a grandchild holds the streams open. */
const OUTPUT_GRACE_MS = 200;
/** How long a worker may take from closing its channel to its end when no zygote is left to tell of that. */
const ORPHAN_GRACE_MS = 200;

/**
 * A process that a zygote forks. It exists once the zygote has told its pid, can be talked with once its connections have come in,
 * and is gone when the zygote tells its exit; or, should the zygote itself be gone, when its channel closes.
 */
export class ForkedProcess implements WorkerProcess {
  readonly wire: Promise<Wire>;
  readonly #owner: ProcessOwner;
  readonly #clock: Clock;
  readonly #onOver: () => void;
  /** What all carry that it starts. */
  readonly #mark: string | undefined;
  readonly #stderrTail = new LineTail();
  readonly #termination: Termination;
  readonly #connections = new Map<Role, Socket>();
  #resolveWire: (wire: Wire) => void = () => {};
  #pid: number | undefined;
  /** It was to be killed before it had a pid. */
  #isUnwanted = false;
  #isLeaving = false;
  #isOver = false;

  /** `onOver` is called when nothing more is to be heard of it. */
  constructor({ owner, clock, env }: LaunchOptions, onOver: () => void) {
    this.#owner = owner;
    this.#clock = clock;
    this.#mark = env[WORKER_MARK];
    this.#onOver = onOver;
    this.#termination = new Termination(clock, (signal) => this.#signal(signal));
    this.wire = new Promise((resolve) => {
      this.#resolveWire = resolve;
    });
  }

  get pid(): number | undefined {
    return this.#pid;
  }

  get stderrTail(): string {
    return this.#stderrTail.text;
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

  onForked(pid: number): void {
    this.#pid = pid;
    orphanGuard.started(pid);
    if (this.#isUnwanted) this.#signal('SIGKILL');
    this.#connect();
  }

  onArrival(role: Role, socket: Socket): void {
    this.#connections.set(role, socket);
    if (role === 'stdout') splitLines(socket, (line) => this.#owner.onLine('stdout', line));
    if (role === 'stderr') splitLines(socket, this.#onStderr);
    this.#connect();
  }

  /** The zygote tells how it ended, or that it could not be forked. */
  onExited(told: ExitCause): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    const cause = told.kind === 'signal' ? signalCause(told.signal, this.#termination.hasSent(told.signal)) : told;
    // The leader is gone; what it left in its group goes with it.
    this.#signal('SIGKILL');
    this.#unguard();
    const grace = this.#clock.after(OUTPUT_GRACE_MS, () => this.#finish(cause));
    void this.#outputEnd().then(() => {
      grace.cancel();
      this.#finish(cause);
    });
  }

  /** The zygote is gone: this worker lives on for as long as its channel does. */
  onOrphaned(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    const channel = this.#connections.get('channel');
    if (channel === undefined || this.#pid === undefined) return this.#finishOrphan();
    void closed(channel).then(() => this.#clock.after(ORPHAN_GRACE_MS, () => this.#finishOrphan()));
  }

  #finishOrphan(): void {
    this.#signal('SIGKILL');
    this.#unguard();
    this.#finish({ kind: 'unknown', message: 'the zygote that would have told it ended before' });
  }

  #connect(): void {
    const socket = this.#connections.get('channel');
    if (socket === undefined || this.#pid === undefined || this.#connections.size < ROLES.length) return;
    this.#resolveWire({ protocol: 'v2', socket });
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#pid === undefined) {
      this.#isUnwanted ||= signal === 'SIGKILL';
      return;
    }
    // Before its first connection it is still in the zygote's group.
    const target = this.#connections.size > 0 ? -this.#pid : this.#pid;
    try {
      process.kill(target, signal);
    } catch {
      // ESRCH: it is gone.
    }
  }

  #unguard(): void {
    if (this.#pid !== undefined) orphanGuard.ended(this.#pid, this.#mark);
  }

  readonly #onStderr = (line: string): void => {
    this.#stderrTail.add(line);
    this.#owner.onLine('stderr', line);
  };

  /** Resolves when all it wrote was read; never when a connection is missing, which may still come in. */
  #outputEnd(): Promise<unknown> {
    if (this.#connections.size < ROLES.length) return new Promise(() => {});
    return Promise.all([...this.#connections.values()].map(closed));
  }

  #finish(cause: ExitCause): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#termination.end();
    for (const connection of this.#connections.values()) connection.destroy();
    this.#onOver();
    this.#owner.onExit(cause);
  }
}

function closed(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise((resolve) => void socket.once('close', resolve));
}
