import type { Clock, Timer } from './clock.js';

/** Something with a time limit that a {@link DeadlineSweep} watches. */
export interface Expiring {
  /** On the clock's `now()` scale; Infinity never expires. */
  expiresAt: number;
  /** Place in the sweep's list; -1 while not watched. Owned by the sweep. */
  sweepIndex: number;
  /** Called once, after the entry left the sweep. */
  onExpired(nowMs: number): void;
}

/** How late an expiry may be noticed; one timer then serves every call. */
const SWEEP_INTERVAL_MS = 10;

/**
 * Watches many deadlines with one timer: a list that is swept every 10 ms, and only once the earliest deadline seen is due.
 * Adding and removing is O(1); the timer runs only while something is watched.
 */
export class DeadlineSweep {
  readonly #entries: Expiring[] = [];
  #earliest = Infinity;
  #timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly intervalMs = SWEEP_INTERVAL_MS,
  ) {}

  get size(): number {
    return this.#entries.length;
  }

  watch(entry: Expiring): void {
    if (entry.expiresAt === Infinity) return;
    entry.sweepIndex = this.#entries.push(entry) - 1;
    if (entry.expiresAt < this.#earliest) this.#earliest = entry.expiresAt;
    this.#timer ??= this.clock.after(this.intervalMs, this.#sweep);
  }

  forget(entry: Expiring): void {
    const index = entry.sweepIndex;
    if (index < 0) return;
    entry.sweepIndex = -1;
    const last = this.#entries.pop();
    if (last === undefined || last === entry) return;
    this.#entries[index] = last;
    last.sweepIndex = index;
  }

  /** Stops watching everything, without calling anyone. */
  close(): void {
    for (const entry of this.#entries) entry.sweepIndex = -1;
    this.#entries.length = 0;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #sweep = (): void => {
    this.#timer = undefined;
    const now = this.clock.now();
    if (now >= this.#earliest) {
      let earliest = Infinity;
      const expired: Expiring[] = [];
      for (const entry of this.#entries) {
        if (entry.expiresAt <= now) expired.push(entry);
        else if (entry.expiresAt < earliest) earliest = entry.expiresAt;
      }
      this.#earliest = earliest;
      for (const entry of expired) {
        // What one of them does may take another out of the sweep, or give it more time.
        if (entry.sweepIndex < 0 || entry.expiresAt > now) continue;
        this.forget(entry);
        entry.onExpired(now);
      }
    }
    if (this.#entries.length > 0) this.#timer ??= this.clock.after(this.intervalMs, this.#sweep);
    else this.#earliest = Infinity;
  };
}
