import type { ExitCause } from './exit-cause.js';
import type { Launch, LaunchOptions, Wire, WorkerProcess } from './process.js';

/**
 * A process that is forked; or launched once more, where its zygote was gone before it told of the fork. To its owner it is one:
 * nothing ran yet that could not run again.
 */
export class RelaunchedProcess implements WorkerProcess {
  readonly wire: Promise<Wire>;
  readonly #options: LaunchOptions;
  readonly #launchAgain: Launch;
  #process: WorkerProcess;
  #resolveWire: (wire: Wire | PromiseLike<Wire>) => void = () => {};
  #isUnwanted = false;

  constructor(options: LaunchOptions, fork: Launch, launchAgain: Launch) {
    this.#options = options;
    this.#launchAgain = launchAgain;
    this.wire = new Promise((resolve) => {
      this.#resolveWire = resolve;
    });
    const { owner } = options;
    const onExit = (cause: ExitCause): void => this.#onForkEnded(cause);
    this.#process = fork({ ...options, owner: { onLine: (stream, line) => owner.onLine(stream, line), onExit } });
    void this.#process.wire.then(this.#resolveWire);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get stderrTail(): string {
    return this.#process.stderrTail;
  }

  terminate(graceMs: number): void {
    this.#isUnwanted = true;
    this.#process.terminate(graceMs);
  }

  terminateAfter(delayMs: number, graceMs: number): void {
    this.#isUnwanted = true;
    this.#process.terminateAfter(delayMs, graceMs);
  }

  channelClosed(reason: string | undefined, delayMs: number, graceMs: number): void {
    this.#isUnwanted = true;
    this.#process.channelClosed(reason, delayMs, graceMs);
  }

  #onForkEnded(cause: ExitCause): void {
    const wasForked = this.#process.pid !== undefined || cause.kind !== 'unknown';
    if (wasForked || this.#isUnwanted) return this.#options.owner.onExit(cause);
    this.#process = this.#launchAgain(this.#options);
    this.#resolveWire(this.#process.wire);
  }
}
