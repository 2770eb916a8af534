import type { Clock, Timer } from '../core/index.js';

interface PendingTimer {
  readonly at: number;
  readonly fire: () => void;
}

/** A clock for tests: time passes only through {@link ManualClock.advance}. */
export class ManualClock implements Clock {
  #now = 0;
  #wallOffset: number;
  /** In order of creation, which decides between timers that are due at the same time. */
  readonly #timers = new Set<PendingTimer>();

  /** @param wallTime milliseconds since the Unix epoch at the start. */
  constructor(wallTime = Date.UTC(2026, 0, 1)) {
    this.#wallOffset = wallTime;
  }

  /** How many timers wait; zero after everything was closed. */
  get timers(): number {
    return this.#timers.size;
  }

  /** When the next timer is due; Infinity when none waits. */
  get nextDueAt(): number {
    return this.#nextDue(Infinity)?.at ?? Infinity;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#wallOffset + this.#now;
  }

  after(delayMs: number, fire: () => void): Timer {
    const timer = { at: this.#now + delayMs, fire };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer), unref: () => {} };
  }

  /** Lets `ms` milliseconds pass, firing due timers in order at their own time, those they start included. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#nextDue(end); next !== undefined; next = this.#nextDue(end)) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
    }
    this.#now = end;
  }

  /** Sets the wall clock forward, or back by a negative `ms`, as an administrator would; `now()` is unaffected. */
  stepWallTime(ms: number): void {
    this.#wallOffset += ms;
  }

  #nextDue(end: number): PendingTimer | undefined {
    let next: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
    }
    return next;
  }
}
