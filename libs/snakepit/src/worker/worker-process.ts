import { ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

import type { Clock, Timer } from '../core/index.js';
import type { ExitCause } from './exit-cause.js';
import type { LaunchSpec } from './launch-spec.js';
import { splitLines } from './line-splitter.js';

const FD = 3;
const STDERR_TAIL_LINES = 20;
/** How long output may still trickle in behind the exit, where a grandchild holds the pipes open. */
const OUTPUT_GRACE_MS = 200;

export interface ProcessOwner {
  onLine(stream: 'stdout' | 'stderr', line: string): void;
  /** Called once, when the process is gone and its last output was read. */
  onExit(cause: ExitCause): void;
}

export interface ProcessOptions {
  readonly spec: LaunchSpec;
  readonly env: Readonly<Record<string, string>>;
  readonly owner: ProcessOwner;
  readonly clock: Clock;
}

/**
 * One external process in a process group of its own, so that whatever it starts ends with it.
 *
 * v2 workers get a socket as descriptor 3 and an empty stdin; v1 workers talk on stdin and stdout.
 */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #owner: ProcessOwner;
  readonly #clock: Clock;
  readonly #stderrTail: string[] = [];
  #escalation: Timer | undefined;
  #isTerminating = false;
  #isOver = false;

  constructor(options: ProcessOptions) {
    const { spec, env, owner, clock } = options;
    this.#owner = owner;
    this.#clock = clock;
    const talksOnStdio = spec.protocol === 'v1';
    this.#child = spawnOrFail(spec.executable, spec.args, {
      cwd: spec.cwd,
      env,
      detached: true,
      windowsHide: true,
      stdio: talksOnStdio ? ['pipe', 'pipe', 'pipe'] : ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    if (this.#child.stdout && !talksOnStdio) splitLines(this.#child.stdout, (line) => owner.onLine('stdout', line));
    if (this.#child.stderr) splitLines(this.#child.stderr, this.#onStderr);
    this.#child.once('error', (error) => this.#onSpawnError(error));
    this.#child.once('exit', (status, signal) => this.#onExit(status, signal));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The last lines of stderr, at most 20. */
  get stderrTail(): string {
    return this.#stderrTail.join('\n');
  }

  /** The host's end of descriptor 3. */
  get socket(): Socket {
    return this.#child.stdio[FD] as unknown as Socket;
  }

  get stdin(): Writable {
    return this.#child.stdin as Writable;
  }

  get stdout(): Readable {
    return this.#child.stdout as Readable;
  }

  /**
   * SIGTERM for the whole group, and SIGKILL when it is still there after `graceMs`; 0 kills at once. Asking again while
   * SIGKILL is on its way does not put it off.
   */
  terminate(graceMs: number): void {
    if (this.#isOver) return;
    if (graceMs === 0) return this.#signalGroup('SIGKILL');
    if (this.#isTerminating) return;
    this.#isTerminating = true;
    this.#escalation?.cancel();
    this.#signalGroup('SIGTERM');
    this.#escalation = this.#clock.after(graceMs, () => this.#signalGroup('SIGKILL'));
  }

  /** {@link terminate}, should the process still be there in `delayMs`; for one that was asked to leave by itself. */
  terminateAfter(delayMs: number, graceMs: number): void {
    if (this.#isOver || this.#escalation !== undefined) return;
    this.#escalation = this.#clock.after(delayMs, () => this.terminate(graceMs));
  }

  #signalGroup(signal: NodeJS.Signals): void {
    const pid = this.#child.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // ESRCH: the group is gone. On macOS EPERM: only zombies are left of it.
    }
  }

  readonly #onStderr = (line: string): void => {
    this.#stderrTail.push(line);
    if (this.#stderrTail.length > STDERR_TAIL_LINES) this.#stderrTail.shift();
    this.#owner.onLine('stderr', line);
  };

  #onSpawnError(error: Error): void {
    // A failed kill is reported here too; only a process that never came to be has no pid.
    if (this.#child.pid === undefined) this.#finish({ kind: 'not-spawned', message: error.message });
  }

  #onExit(status: number | null, signal: NodeJS.Signals | null): void {
    // The leader is gone; what it left in its group goes with it.
    this.#signalGroup('SIGKILL');
    const cause: ExitCause = signal === null ? { kind: 'exit', status: status ?? 0 } : { kind: 'signal', signal };
    const grace = this.#clock.after(OUTPUT_GRACE_MS, () => this.#finish(cause));
    this.#child.once('close', () => {
      grace.cancel();
      this.#finish(cause);
    });
  }

  #finish(cause: ExitCause): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#escalation?.cancel();
    for (const stream of this.#child.stdio ?? []) stream?.destroy();
    this.#owner.onExit(cause);
  }
}

/**
 * `spawn` throws for some causes (E2BIG) and emits `error` for others (ENOENT); here all of them are emitted. A child that never
 * came to be may have neither pid nor streams.
 */
function spawnOrFail(executable: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  try {
    return spawn(executable, [...args], options);
  } catch (error) {
    const child = new ChildProcess();
    process.nextTick(() => child.emit('error', error));
    return child;
  }
}
