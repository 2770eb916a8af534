/** Fewer calls than this tell nothing of how fast a queue goes. */
const LEAST_CALLS = 16;
/** Nor does a shorter time: workers are given calls in bunches. */
const LEAST_MS = 100;

/**
 * How fast a queue that is never empty hands out its calls, by those of late.
 *
 * ```
 *   first hand-out      earlier          recent        now
 *   ──┬────────────────────┬────────────────┬───────────┤     a part ends after 16 calls and 100 ms,
 *     restart               ◂── perMs looks at these ──▸       whichever comes later
 * ```
 * A queue that runs empty now and then is none that calls wait in for long: nothing is said of it.
 */
export class DrainRate {
  #earlierAt = 0;
  #earlier = 0;
  /** NaN until the first call is handed out. */
  #recentAt = NaN;
  #recent = 0;
  /** How long the call that was handed out last had waited. */
  lastWaitMs = 0;

  /** The queue is empty, or holds other calls than before. */
  restart(): void {
    this.#earlier = 0;
    this.#recent = 0;
    this.#recentAt = NaN;
    this.lastWaitMs = 0;
  }

  /** A worker got a call of the queue. */
  onHandedOut(nowMs: number, waitMs: number): void {
    this.lastWaitMs = waitMs;
    if (Number.isNaN(this.#recentAt)) {
      this.#recentAt = nowMs;
      return;
    }
    this.#recent += 1;
    if (this.#recent < LEAST_CALLS || nowMs - this.#recentAt < LEAST_MS) return;
    this.#earlier = this.#recent;
    this.#earlierAt = this.#recentAt;
    this.#recent = 0;
    this.#recentAt = nowMs;
  }

  /** Calls per millisecond; undefined while the queue has not stood for long enough to tell. */
  perMs(nowMs: number): number | undefined {
    return this.#earlier === 0 ? undefined : (this.#earlier + this.#recent) / (nowMs - this.#earlierAt);
  }
}
