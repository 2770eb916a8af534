import type { GrpcTarget } from '../channel/index.js';
import type { ExitCause } from './exit-cause.js';
import type { LaunchOptions, ProcessOwner, Wire, WorkerProcess } from './process.js';

/**
 * A worker that somebody else has started, as far as this host has to do with it: one connection. Ending it drops the connection, and
 * with it the worker's calls of this host; the process itself goes on.
 */
export class AttachedProcess implements WorkerProcess {
  /** Of another machine, perhaps: not to be signalled from here. */
  readonly pid = undefined;
  readonly stderrTail = '';
  readonly wire: Promise<Wire>;
  readonly #owner: ProcessOwner;
  readonly #clock: LaunchOptions['clock'];
  readonly #onOver: () => void;
  readonly #abort = new AbortController();
  #isOver = false;

  constructor(target: GrpcTarget, protocol: 'v1' | 'v2', { owner, clock }: LaunchOptions, onOver: () => void) {
    this.#owner = owner;
    this.#clock = clock;
    this.#onOver = onOver;
    const { signal } = this.#abort;
    this.wire = Promise.resolve(
      protocol === 'v2'
        ? { protocol: 'grpc', target, signal }
        : { protocol: 'grpc-v1', target, signal, confirm: () => Promise.resolve() },
    );
  }

  terminate(): void {
    this.#finish({ kind: 'disconnected', message: 'the host has dropped the connection' });
  }

  terminateAfter(delayMs: number): void {
    const timer = this.#clock.after(delayMs, () => this.terminate());
    this.#abort.signal.addEventListener('abort', () => timer.cancel(), { once: true });
  }

  channelClosed(reason = 'the connection was closed'): void {
    this.#finish({ kind: 'disconnected', message: reason });
  }

  #finish(cause: ExitCause): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#abort.abort();
    this.#onOver();
    // As with a process, whoever asks for the end hears of it later.
    process.nextTick(() => this.#owner.onExit(cause));
  }
}
