import type { LeavingSignal } from '../exit-status.js';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Whether whoever started this wants it to end: by Ctrl-C, by SIGTERM, or by closing what reads its output. */
export class Leaving {
  readonly #controller = new AbortController();
  #cause: LeavingSignal | undefined;

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
    process.stdout.on('error', this.#onOutputError);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The first signal; SIGPIPE for an output that was closed. */
  get cause(): LeavingSignal | undefined {
    return this.#cause;
  }

  dispose(): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }

  readonly #onSignal = (signal: LeavingSignal): void => {
    // Nobody asks twice who wants to wait: the workers are killed as this process exits.
    if (this.#cause !== undefined) process.exit(128 + 9);
    this.#cause = signal;
    this.#controller.abort();
  };

  readonly #onOutputError = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
    this.#cause ??= 'SIGPIPE';
    this.#controller.abort();
  };
}
