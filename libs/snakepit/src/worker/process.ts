import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

import type { GrpcTarget } from '../channel/index.js';
import type { Clock } from '../core/index.js';
import type { ExitCause } from './exit-cause.js';

export interface ProcessOwner {
  onLine(stream: 'stdout' | 'stderr', line: string): void;
  /** Called once, when the process is gone and its last output was read. */
  onExit(cause: ExitCause): void;
}

/** What a worker knows of its process before that is there; the rest is the launcher's. */
export interface LaunchOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly owner: ProcessOwner;
  readonly clock: Clock;
  /** The host's descriptor of the file that becomes descriptor 4 of a v2 process. */
  readonly arenaFd: number | undefined;
}

/** What the host talks with a process through: its descriptor, its standard streams, or a network. */
export type Wire =
  /** Over gRPC, the socket is the lifeline. */
  | { readonly protocol: 'v2'; readonly socket: Socket }
  /** Of a worker that somebody else has started; `signal` tells that nobody waits for it any more. */
  | { readonly protocol: 'grpc'; readonly target: GrpcTarget; readonly signal: AbortSignal }
  /** The ancestor's gRPC service. */
  | {
      readonly protocol: 'grpc-v1';
      readonly target: GrpcTarget;
      /** Nobody waits for it any more, or it has ended. */
      readonly signal: AbortSignal;
      /** To be called when it has answered. @throws HandshakeRefused when the answer was another's */
      readonly confirm: () => Promise<void>;
    }
  | { readonly protocol: 'v1'; readonly stdin: Writable; readonly stdout: Readable };

/** One external process that leads a process group of its own, so that whatever it starts ends with it. */
export interface WorkerProcess {
  /** Undefined until there is a process. */
  readonly pid: number | undefined;
  /** The last lines of stderr, at most 20. */
  readonly stderrTail: string;
  /** What it was started with, where that is more than its spec says. */
  readonly args?: readonly string[] | undefined;
  /** What it has not done yet, where that is known, for messages. */
  readonly awaits?: string | undefined;
  /**
   * Settles once the process can be talked with; never for one that came to nothing, whose exit tells so. Rejects by HandshakeRefused
   * where there is a reason that its exit does not tell.
   */
  readonly wire: Promise<Wire>;
  /** Asks it to write its stacks to stderr; absent where it has no descriptor of its own for that. */
  readonly askForStacks?: (() => void) | undefined;
  /**
   * SIGTERM for the whole group, and SIGKILL when it is still there after `graceMs`; 0 kills at once. Asking again while
   * SIGKILL is on its way does not put it off.
   */
  terminate(graceMs: number): void;
  /** {@link terminate}, should the process still be there in `delayMs`; for one that was asked to leave by itself. */
  terminateAfter(delayMs: number, graceMs: number): void;
  /** Its channel is closed. What is still there is ended as by {@link terminateAfter}; what was but a connection has ended. */
  channelClosed(reason: string | undefined, delayMs: number, graceMs: number): void;
}

/** Brings a worker's process into being. */
export type Launch = (options: LaunchOptions) => WorkerProcess;
