/** What the supervisor is to do about a pool whose workers cannot live. */
export type BreakerDecision =
  /** Restart as the restart policy says. */
  | 'restart'
  /** The pool is down from now on: refuse what waits, and go on with one worker at a time. */
  | 'open'
  /** The pool is down already: the next try is as good as any other, so make no further ones. */
  | 'stay-open';

/**
 * Whether a pool is worth waiting for.
 *
 * ```
 *   closed ── the restart budget is used up and no worker is ready ──▸ open ── a worker has become ready ──▸ closed
 * ```
 * While it is open, one worker at a time is tried, with the restart policy's delays: where none can live, a whole pool of tries only takes
 * the machine's time. The first that becomes ready brings all others with it, without their delays.
 */
export class CircuitBreaker {
  #isOpen = false;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** @param tries workers that are starting, or are about to after a delay */
  onCrash(isExhausted: boolean, ready: number, tries: number): BreakerDecision {
    if (!this.#isOpen) {
      if (!isExhausted || ready > 0) return 'restart';
      this.#isOpen = true;
      return 'open';
    }
    return tries > 0 ? 'stay-open' : 'restart';
  }

  /** Returns whether this ends an outage: then the pool is to be filled at once. */
  onReady(): boolean {
    const wasOpen = this.#isOpen;
    this.#isOpen = false;
    return wasOpen;
  }
}
