import type { Clock, Timer } from '../core/index.js';

/** How long the first line may take of a worker that writes it in the handler of a signal: what waits for a dump waits no longer. */
export const SIGNALLED_STACK_BUDGET_MS = 25;
/** The same for one that has to stop its main thread first, and that may have to find out that this cannot be stopped. */
export const ASKED_STACK_BUDGET_MS = 200;
/** A dump has no end mark: it is over when nothing more of it comes for this long. */
const QUIET_MS = 4;
/** Taking stacks must not become what a worker is busy with. */
const MIN_INTERVAL_MS = 1_000;
/** Threads and depth are in the hands of the user's code. */
const MAX_LINES = 400;

/** `Current thread 0x00007f… (most recent call first):`, of Python's faulthandler, and its likes. */
const HEADER = /^(Current thread|Thread) 0x[0-9a-f]+\b.*\(most recent call first\):$/;

/**
 * Takes the dump of a worker's stacks out of its stderr.
 *
 * ```
 *   request ─ signal ─▸ worker ─ stderr ─▸ takes(line), takes(line) … quiet for 4 ms ─▸ the text
 *                                                            nothing within its budget ─▸ undefined
 * ```
 */
export class StackDump {
  #lines: string[] = [];
  #pending: Promise<string | undefined> | undefined;
  #settle: ((text: string | undefined) => void) | undefined;
  #timer: Timer | undefined;
  #requestedAt = -Infinity;

  constructor(private readonly clock: Clock) {}

  /** The stacks; undefined where a dump was taken within the last second. `ask` has the worker write them, within `budgetMs`. */
  request(ask: () => void, budgetMs: number): Promise<string | undefined> | undefined {
    if (this.#pending !== undefined) return this.#pending;
    const now = this.clock.now();
    if (now - this.#requestedAt < MIN_INTERVAL_MS) return undefined;
    this.#requestedAt = now;
    this.#lines = [];
    this.#pending = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#finishAfter(budgetMs);
    ask();
    return this.#pending;
  }

  /** Whether this line of stderr is part of a dump that was asked for; one that comes too late for its caller stays in the log. */
  takes(line: string): boolean {
    if (this.#pending === undefined) return false;
    const isPart = HEADER.test(line) || (this.#lines.length > 0 && (line === '' || line.startsWith('  ')));
    if (!isPart) return false;
    if (this.#lines.length < MAX_LINES) this.#lines.push(line);
    this.#finishAfter(QUIET_MS);
    return true;
  }

  /** The worker is gone, and with it what it had yet to write. */
  end(): void {
    if (this.#pending !== undefined) this.#finish();
  }

  #finishAfter(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.clock.after(ms, () => this.#finish());
  }

  #finish(): void {
    const text = this.#lines.join('\n').trimEnd();
    this.#timer?.cancel();
    this.#pending = undefined;
    this.#settle?.(text === '' ? undefined : text);
  }
}
