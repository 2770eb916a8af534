import type { Clock, Timer } from './clock.js';

/** Something with a time limit that a {@link DeadlineSweep} watches. */
export interface Expiring {
  /** On the clock's `now()` scale; Infinity never expires. While it is watched it may be put off, not brought forward. */
  expiresAt: number;
  /** Where the sweep keeps it: undefined and -1 while not watched. Both are owned by the sweep. */
  sweepBucket: DeadlineBucket | undefined;
  sweepIndex: number;
  /** Called once, after the entry left the sweep. */
  onExpired(nowMs: number): void;
}

/** What expires within one interval of the sweep. */
export class DeadlineBucket {
  readonly entries: Expiring[] = [];

  constructor(readonly tick: number) {}
}

/** How late an expiry may be noticed; one timer then serves every call. */
const SWEEP_INTERVAL_MS = 10;

/** Stands for "no bucket yet": no entry has its tick. */
const NO_BUCKET = new DeadlineBucket(NaN);

/**
 * Watches many deadlines with one timer that runs every 10 ms while something is watched.
 *
 * ```
 *   tick = ⌊expiresAt / 10 ms⌋      … 41        42            57
 *   buckets                          [a, b]    [c]           [d, e, f]
 *                                     ▲ now
 * ```
 * A sweep looks only into the buckets whose time has come, however many entries wait in others. Adding and removing is O(1). An
 * entry that was put off stays where it is until its bucket is looked into, and moves on then.
 */
export class DeadlineSweep {
  readonly #buckets = new Map<number, DeadlineBucket>();
  /** The bucket that was used last; calls of one timeout mostly fall into the same one as the call before. */
  #latest = NO_BUCKET;
  /** No bucket has an earlier tick. */
  #earliestTick = Infinity;
  /** Buckets that are being looked into. */
  #due: readonly DeadlineBucket[] = [];
  #size = 0;
  #timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly intervalMs = SWEEP_INTERVAL_MS,
  ) {}

  get size(): number {
    return this.#size;
  }

  /** How many lists it keeps; few, whatever came and went. */
  get buckets(): number {
    return this.#buckets.size;
  }

  watch(entry: Expiring): void {
    if (entry.expiresAt === Infinity) return;
    this.#place(entry);
    this.#size += 1;
    this.#timer ??= this.clock.after(this.intervalMs, this.#sweep);
  }

  forget(entry: Expiring): void {
    const bucket = entry.sweepBucket;
    if (bucket === undefined) return;
    const { entries } = bucket;
    const index = entry.sweepIndex;
    entry.sweepBucket = undefined;
    entry.sweepIndex = -1;
    this.#size -= 1;
    const last = entries.pop();
    if (last !== undefined && last !== entry) {
      entries[index] = last;
      last.sweepIndex = index;
    }
    if (entries.length === 0 && bucket !== this.#latest) this.#drop(bucket);
  }

  /** Stops watching everything, without calling anyone. */
  close(): void {
    for (const { entries } of [...this.#buckets.values(), ...this.#due]) {
      for (const entry of entries) {
        entry.sweepBucket = undefined;
        entry.sweepIndex = -1;
      }
      entries.length = 0;
    }
    this.#clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #place(entry: Expiring): void {
    const tick = Math.floor(entry.expiresAt / this.intervalMs);
    const bucket = this.#latest.tick === tick ? this.#latest : this.#bucketOf(tick);
    entry.sweepBucket = bucket;
    entry.sweepIndex = bucket.entries.push(entry) - 1;
  }

  #bucketOf(tick: number): DeadlineBucket {
    if (this.#latest.entries.length === 0) this.#drop(this.#latest);
    let bucket = this.#buckets.get(tick);
    if (bucket === undefined) {
      bucket = new DeadlineBucket(tick);
      this.#buckets.set(tick, bucket);
      if (tick < this.#earliestTick) this.#earliestTick = tick;
    }
    this.#latest = bucket;
    return bucket;
  }

  /** Without effect on a bucket that a sweep has taken out. */
  #drop(bucket: DeadlineBucket): void {
    if (this.#buckets.get(bucket.tick) === bucket) this.#buckets.delete(bucket.tick);
  }

  readonly #sweep = (): void => {
    this.#timer = undefined;
    const now = this.clock.now();
    this.#due = this.#takeDue(Math.floor(now / this.intervalMs));
    for (const entry of this.#due.flatMap(({ entries }) => entries)) {
      // What one of them does may take another out of the sweep, or give it more time.
      if (entry.sweepBucket === undefined || entry.expiresAt > now) continue;
      this.forget(entry);
      entry.onExpired(now);
    }
    for (const { entries } of this.#due) for (const entry of entries) this.#place(entry);
    this.#due = [];
    if (this.#size > 0) this.#timer ??= this.clock.after(this.intervalMs, this.#sweep);
    else this.#clear();
  };

  /** Takes out the buckets up to `tick`, its own included, which may hold entries that are not due yet. */
  #takeDue(tick: number): DeadlineBucket[] {
    const due: DeadlineBucket[] = [];
    for (let at = this.#earliestTick; at <= tick; at += 1) {
      const bucket = this.#buckets.get(at);
      if (bucket === undefined) continue;
      this.#buckets.delete(at);
      due.push(bucket);
    }
    if (this.#latest.tick <= tick) this.#latest = NO_BUCKET;
    if (this.#earliestTick < tick) this.#earliestTick = tick;
    return due;
  }

  #clear(): void {
    this.#buckets.clear();
    this.#latest = NO_BUCKET;
    this.#earliestTick = Infinity;
    this.#size = 0;
  }
}
