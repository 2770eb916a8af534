import { ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

import type { Clock } from '../core/index.js';
import { signalCause, type ExitCause } from './exit-cause.js';
import { ProcessFolder } from './host-folder.js';
import { splitLines } from './line-splitter.js';
import { LineTail } from './line-tail.js';
import { oomKills } from './oom-kills.js';
import { orphanGuard } from './orphan-guard.js';
import { isGrpcBridge, type LaunchSpec } from './launch-spec.js';
import type { ProcessOptions } from './process-options.js';
import type { ProcessOwner, Wire, WorkerProcess } from './process.js';
import { privilegedCommand } from './privileged-command.js';
import { Termination } from './termination.js';
import { WORKER_MARK } from './worker-environment.js';

const FD = 3;
/** The arena's descriptor in the worker. */
export const ARENA_FD = 4;
/** How long output may still trickle in behind the exit, where a grandchild holds the pipes open. */
const OUTPUT_GRACE_MS = 200;

/** What a process talks on: its stdin and stdout, descriptor 3, or a port, which is the affair of who has given it one. */
type Talk = 'stdio' | 'socket' | 'port';

const STDIO: Readonly<Record<Talk, readonly ('pipe' | 'ignore')[]>> = {
  stdio: ['pipe', 'pipe', 'pipe'],
  socket: ['ignore', 'pipe', 'pipe', 'pipe'],
  port: ['ignore', 'pipe', 'pipe'],
};

function talkOf(spec: LaunchSpec): Talk {
  if (spec.protocol === 'v2') return 'socket';
  return isGrpcBridge(spec) ? 'port' : 'stdio';
}

/**
 * A process that the host itself starts.
 *
 * v2 workers get a socket as descriptor 3, the arena as descriptor 4 and an empty stdin; v1 workers talk on stdin and stdout, or on a
 * port: the {@link wire} of these never settles.
 */
export class SpawnedProcess implements WorkerProcess {
  readonly wire: Promise<Wire>;
  readonly askForStacks: (() => void) | undefined;
  readonly #child: ChildProcess;
  readonly #owner: ProcessOwner;
  readonly #clock: Clock;
  /** What all carry that it starts, if they end with it. */
  readonly #mark: string | undefined;
  readonly #folder: ProcessFolder | undefined;
  readonly #stderrTail = new LineTail();
  readonly #termination: Termination;
  #isOver = false;

  constructor(options: ProcessOptions) {
    const { spec, env, owner, clock, arenaFd, isSurvived = false } = options;
    this.#owner = owner;
    this.#clock = clock;
    this.#mark = isSurvived ? undefined : env[WORKER_MARK];
    this.#termination = new Termination(clock, (signal) => this.#signalGroup(signal));
    const talk = talkOf(spec);
    const { executable, args, ...user } = privilegedCommand(spec);
    oomKills.watch();
    this.#folder = folderFor(spec);
    const stdio: Array<'ignore' | 'pipe' | number> = [...STDIO[talk], ...(arenaFd === undefined ? [] : [arenaFd])];
    const stacksFd = spec.tellsStacks === true ? stdio.push('pipe') - 1 : undefined;
    this.#child = spawnOrFail(executable, args, {
      ...user,
      cwd: spec.cwd,
      env: {
        ...env,
        ...(stacksFd !== undefined && { SNAKEPIT_STACKS_FD: String(stacksFd) }),
        ...(this.#folder !== undefined && { SNAKEPIT_FOLDER: this.#folder.path }),
      },
      detached: true,
      windowsHide: true,
      stdio,
    });
    this.askForStacks = stacksRequest(this.#child, stacksFd);
    if (this.#child.pid !== undefined) orphanGuard.started(this.#child.pid);
    if (this.#child.stdout && talk !== 'stdio') splitLines(this.#child.stdout, (line) => owner.onLine('stdout', line));
    if (this.#child.stderr) splitLines(this.#child.stderr, this.#onStderr);
    this.#child.once('error', (error) => this.#onSpawnError(error));
    this.#child.once('exit', (status, signal) => this.#onExit(status, signal));
    this.wire = this.#child.pid === undefined ? new Promise(() => {}) : this.#wire(talk);
  }

  get pid(): number | undefined {
    return this.#child.pid;
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

  #wire(talk: Talk): Promise<Wire> {
    const { stdin, stdout, stdio } = this.#child;
    switch (talk) {
      case 'stdio':
        return Promise.resolve({ protocol: 'v1', stdin: stdin as Writable, stdout: stdout as Readable });
      case 'socket':
        return Promise.resolve({ protocol: 'v2', socket: stdio[FD] as unknown as Socket });
      case 'port':
        return new Promise(() => {});
    }
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
    this.#stderrTail.add(line);
    this.#owner.onLine('stderr', line);
  };

  #onSpawnError(error: Error): void {
    // A failed kill is reported here too; only a process that never came to be has no pid.
    if (this.#child.pid === undefined) this.#finish({ kind: 'not-spawned', message: error.message });
  }

  #onExit(status: number | null, signal: NodeJS.Signals | null): void {
    // The leader is gone; what it left in its group goes with it.
    this.#signalGroup('SIGKILL');
    if (this.#child.pid !== undefined) orphanGuard.ended(this.#child.pid, this.#mark);
    const cause: ExitCause =
      signal === null ? { kind: 'exit', status: status ?? 0 } : signalCause(signal, this.#termination.hasSent(signal));
    const grace = this.#clock.after(OUTPUT_GRACE_MS, () => this.#finish(cause));
    this.#child.once('close', () => {
      grace.cancel();
      this.#finish(cause);
    });
  }

  #finish(cause: ExitCause): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#termination.end();
    for (const stream of this.#child.stdio ?? []) stream?.destroy();
    if (this.#folder === undefined) this.#owner.onExit(cause);
    else void this.#folder.remove().then(() => this.#owner.onExit(cause));
  }
}

/** Without one, where none can be made, the process says itself what it lacks. */
function folderFor({ hasFolder, privileges }: LaunchSpec): ProcessFolder | undefined {
  if (hasFolder !== true) return undefined;
  try {
    return new ProcessFolder(privileges);
  } catch {
    return undefined;
  }
}

function stacksRequest({ stdio }: ChildProcess, fd: number | undefined): (() => void) | undefined {
  const pipe = fd === undefined ? undefined : (stdio?.[fd] as Socket | null | undefined);
  if (!pipe) return undefined;
  // It may be closed by a process that lives on.
  pipe.on('error', () => {}).unref();
  return () => {
    if (pipe.writable) pipe.write('\n');
  };
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
