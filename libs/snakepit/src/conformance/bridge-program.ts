import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

import { workerEnvironment } from '../worker/index.js';
import { splitLines } from '../worker/line-splitter.js';
import { ConformanceFailure } from './conformance-failure.js';

export type BridgeProtocol = 'v1' | 'v2' | 'grpc';

/** What is started for each bridge process. */
export interface BridgeProgram {
  /** The program and its arguments. */
  readonly words: readonly [string, ...string[]];
  readonly protocol: BridgeProtocol;
  /** Added to the environment that workers get. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
  /** Token of this run; processes that carry it belong to it. */
  readonly instance: string;
}

export interface BridgeExit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

const FD = 3;
let started = 0;

/**
 * One process of the bridge, started as a host starts its workers: leader of a group of its own, v2 and gRPC with a socket as
 * descriptor 3 and an empty stdin, v1 with pipes.
 */
export class BridgeProcess {
  /** Lines that were printed, in order; v1's stdout is the wire and has none. */
  readonly lines: Readonly<Record<'stdout' | 'stderr', string[]>> = { stdout: [], stderr: [] };
  readonly worker: string;
  /** Undefined while it runs. */
  exit: BridgeExit | undefined;
  readonly #child: ChildProcess;
  readonly #onChange: () => void;
  #spawnError: Error | undefined;

  constructor(program: BridgeProgram, onChange: () => void) {
    started += 1;
    this.worker = `conformance-${started}`;
    this.#onChange = onChange;
    const [executable, ...args] = program.words;
    const isV1 = program.protocol === 'v1';
    this.#child = spawn(executable, args, {
      cwd: program.cwd,
      env: environmentOf(program, this.worker),
      detached: true,
      windowsHide: true,
      stdio: isV1 ? ['pipe', 'pipe', 'pipe'] : ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.#child.once('error', (error) => {
      this.#spawnError = error;
      onChange();
    });
    // Its last words come before the end of its pipes, and are wanted when a case asks for its exit.
    this.#child.once('close', (status, signal) => this.#ended({ status, signal }));
    this.#child.once('exit', (status, signal) => setTimeout(() => this.#ended({ status, signal }), 200).unref());
    if (!isV1) this.#listen('stdout');
    this.#listen('stderr');
  }

  /** @throws ConformanceFailure when there is no process, and thus no id */
  async spawned(): Promise<void> {
    if (this.#child.pid === undefined) await new Promise((resolve) => this.#child.once('error', resolve));
    if (this.#spawnError === undefined) return;
    const { spawnfile } = this.#child;
    throw new ConformanceFailure(
      `The command does not start: ${this.#spawnError.message}. Is '${spawnfile}' installed and on the PATH, and the folder right?`,
    );
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get socket(): Socket {
    return this.#child.stdio[FD] as unknown as Socket;
  }

  get stdin(): Writable {
    return this.#child.stdin as Writable;
  }

  get stdout(): Readable {
    return this.#child.stdout as Readable;
  }

  /** To the process alone. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Ends the process and its group at once. */
  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // The group is gone.
    }
    for (const stream of this.#child.stdio) stream?.destroy();
  }

  /** How it ended, for people. */
  describeExit(): string {
    if (this.exit === undefined) return 'it is still running';
    const { status, signal } = this.exit;
    const last = this.lines.stderr.slice(-3).join(' | ');
    const how = signal === null ? `it exited with status ${status}` : `it ended by ${signal}`;
    return last === '' ? how : `${how}; last on stderr: ${last}`;
  }

  #ended(exit: BridgeExit): void {
    this.exit ??= exit;
    this.#onChange();
  }

  #listen(name: 'stdout' | 'stderr'): void {
    const stream = this.#child[name];
    if (stream === null) return;
    splitLines(stream, (line) => {
      this.lines[name].push(line);
      this.#onChange();
    });
  }
}

function environmentOf(program: BridgeProgram, worker: string): Record<string, string> {
  const isGrpc = program.protocol === 'grpc';
  const spec = { env: {}, protocol: isGrpc ? ('v2' as const) : program.protocol };
  return {
    ...workerEnvironment({
      spec: spec as Parameters<typeof workerEnvironment>[0]['spec'],
      hostEnv: process.env,
      inherit: [],
      given: program.env,
      pool: 'conformance',
      worker,
      instance: program.instance,
    }),
    ...(isGrpc && { SNAKEPIT_PROTOCOL: 'grpc' }),
  };
}
