import type { CallSettings } from '../call-options.js';
import type { BatchSettings } from './batch-options.js';
import { Gathering } from './gathering.js';

/** What became of the batches of one command since the pool was made. */
export interface BatchStats {
  readonly maxSize: number;
  readonly maxWaitMs: number;
  /** Batches that workers got, the calls in them, and the most in one. */
  readonly batches: number;
  readonly calls: number;
  readonly largest: number;
}

/** A command whose calls are batched. */
export class BatchLine {
  readonly #gatherings = new Map<string, Gathering>();
  #batches = 0;
  #calls = 0;
  #largest = 0;

  constructor(
    readonly command: string,
    public settings: BatchSettings,
    /** The workers asked for it: one that did not, since its code is another, gets no batches. */
    readonly isWishOfWorkers: boolean,
  ) {}

  /** Where calls like this one gather; a call made inside a tool, which others may wait for, waits for no company. */
  gatheringFor({ priority, session, nesting }: CallSettings): Gathering {
    if (nesting !== undefined) return new Gathering(priority, priority);
    // A priority has no space in it.
    const key = session === undefined ? priority : `${priority} ${session}`;
    let gathering = this.#gatherings.get(key);
    if (gathering === undefined) {
      gathering = new Gathering(key, priority);
      this.#gatherings.set(key, gathering);
    }
    return gathering;
  }

  gatherings(): Gathering[] {
    return [...this.#gatherings.values()];
  }

  /** Drops a place where nobody waits: sessions come and go. */
  tidy(gathering: Gathering): void {
    if (gathering.isUnused && this.#gatherings.get(gathering.key) === gathering) this.#gatherings.delete(gathering.key);
  }

  /** A worker got a batch of so many calls. */
  onSent(size: number): void {
    this.#batches += 1;
    this.#calls += size;
    if (size > this.#largest) this.#largest = size;
  }

  get stats(): BatchStats {
    const { maxSize, maxWaitMs } = this.settings;
    return { maxSize, maxWaitMs, batches: this.#batches, calls: this.#calls, largest: this.#largest };
  }
}
