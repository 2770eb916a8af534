import type { Outgoing } from '../call-runner.js';

/** Longer than that no command waits for the answers of others: a host may read slowly. */
const MAX_WAIT_MS = 5;

/**
 * Answers that are not on their way yet. An answer takes HTTP/2 several turns of the event loop (message, trailers), in which
 * no synchronous command must have the thread.
 */
export class Unsent implements Outgoing {
  #answers = 0;
  /** On the scale of `performance.now()`; 0 while nobody waits. */
  #waitsSince = 0;

  add(): void {
    this.#answers += 1;
  }

  remove(): void {
    this.#answers -= 1;
  }

  flush(): boolean {
    const now = performance.now();
    if (this.#answers > 0 && this.#waitsSince === 0) this.#waitsSince = now;
    if (this.#answers > 0 && now - this.#waitsSince < MAX_WAIT_MS) return false;
    this.#waitsSince = 0;
    return true;
  }

  flushIfLate(): void {}
}
