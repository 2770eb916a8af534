/** What is known of a pool some of whose nested calls wait. */
export interface LendingSample {
  readonly nowMs: number;
  /** Nested calls that any worker may take. */
  readonly waiting: number;
  /** Whether every worker, lent ones included, is held by a call that waits for a tool. */
  readonly isBlocked: boolean;
  /** Workers that are on their way, lent or not. */
  readonly starting: number;
  /** Workers lent by now, those on their way included. */
  readonly lent: number;
}

/** After a lent worker could not start, none is tried for so long. */
const RETRY_MS = 1_000;

/**
 * When a pool starts a worker beyond its size: nested calls wait, and whatever could take them is held by calls that wait in tools. One at
 * a time, since one alone may be enough to set all going again.
 */
export class LendingPolicy {
  #notBefore = -Infinity;

  constructor(private readonly maxExtraWorkers: number) {}

  onFailed(nowMs: number): void {
    this.#notBefore = nowMs + RETRY_MS;
  }

  mayLend(nowMs: number, lent: number): boolean {
    return lent < this.maxExtraWorkers && nowMs >= this.#notBefore;
  }

  needsOneMore({ nowMs, waiting, isBlocked, starting, lent }: LendingSample): boolean {
    return waiting > 0 && isBlocked && starting === 0 && this.mayLend(nowMs, lent);
  }
}
