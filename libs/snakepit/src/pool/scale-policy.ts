/** Load is averaged over about this long, so that a single call moves nothing. */
const AVERAGE_OVER_MS = 1_000;

export interface ScaleSettings {
  readonly min: number;
  readonly max: number;
  /** A call that has waited this long makes the pool grow. */
  readonly queueWaitMs: number;
  /** How busy workers are to be, at most. */
  readonly utilizationPercent: number;
  /** For how long fewer workers must have been enough before there are fewer. */
  readonly downAfterMs: number;
  readonly checkIntervalMs: number;
  /** When a waiting call gives up. */
  readonly queueTimeoutMs: number;
}

/** One look at a pool. */
export interface LoadSample {
  readonly nowMs: number;
  /** Workers wanted so far, and those of them that take calls. */
  readonly size: number;
  readonly ready: number;
  /** How many workers the calls in hand keep busy; one that could take more of them counts as a part of one. */
  readonly busy: number;
  /** Calls that any worker may take, and how long the oldest of them has waited. */
  readonly queued: number;
  readonly oldestWaitMs: number;
  /** How long a worker takes to start. */
  readonly startMs: number;
}

export type ScaleReason = 'wait' | 'utilization' | 'idle';

export interface ScaleDecision {
  readonly size: number;
  /** What the new size is for. */
  readonly reason: ScaleReason;
}

interface Wish {
  readonly atMs: number;
  readonly size: number;
}

/**
 * Decides how many workers a pool should have; knows no process and no clock.
 *
 * Up at once, down late. When calls wait too long the pool doubles, look by look, as far as there are calls for the new workers. Without a
 * queue it grows to what keeps its workers no busier than they should be. Every look yields the size that would be enough just then, and
 * the pool shrinks to the largest of these of the last `downAfterMs`: the "stabilization window" of Kubernetes' Horizontal Pod Autoscaler.
 */
export class ScalePolicy {
  #busy = 0;
  #firstLookMs: number | undefined;
  #lastLookMs: number | undefined;
  /** Of the window, those alone that no later one exceeds: sizes fall from the first, which is the largest. */
  #wishes: Wish[] = [];

  constructor(private readonly settings: ScaleSettings) {}

  /** The size to have from now on; undefined to leave it. */
  look(sample: LoadSample): ScaleDecision | undefined {
    const { min, max, downAfterMs } = this.settings;
    const { nowMs, size } = sample;
    const sinceMs = nowMs - (this.#lastLookMs ?? nowMs);
    this.#lastLookMs = nowMs;
    this.#busy += (sample.busy - this.#busy) * (1 - Math.exp(-sinceMs / AVERAGE_OVER_MS));
    // Where no worker lives, more of them would not either.
    if (sample.ready === 0) return undefined;
    const forWaiting = this.#sizeForWaiting(sample, sinceMs);
    const forUse = this.#sizeForUse();
    const wanted = Math.min(max, Math.max(min, forWaiting, forUse));
    this.#remember({ atMs: nowMs, size: wanted });
    if (wanted > size) return { size: wanted, reason: forWaiting > forUse ? 'wait' : 'utilization' };
    const enough = this.#wishes[0]?.size ?? wanted;
    this.#firstLookMs ??= nowMs;
    const isWindowFull = nowMs - this.#firstLookMs >= downAfterMs;
    return isWindowFull && enough < size ? { size: enough, reason: 'idle' } : undefined;
  }

  /** The size that takes the queue away; never fewer than there are while anybody waits. */
  #sizeForWaiting({ size, ready, queued, oldestWaitMs, startMs }: LoadSample, sinceMs: number): number {
    const { queueWaitMs, queueTimeoutMs, checkIntervalMs } = this.settings;
    if (queued === 0) return 0;
    const coming = Math.max(0, size - ready);
    // New workers have to be there before the first one gives up.
    const patienceMs = Math.max(0, Math.min(queueWaitMs, queueTimeoutMs - 2 * startMs));
    // A host that was held up itself has let calls wait that its workers could have taken.
    const wasHeldUp = sinceMs > 2 * checkIntervalMs;
    if (oldestWaitMs < patienceMs || wasHeldUp || queued <= coming) return size;
    return size + Math.min(size, queued - coming);
  }

  #sizeForUse(): number {
    // Rounding errors of the average are no reason for one more worker.
    return Math.ceil((this.#busy * 100) / this.settings.utilizationPercent - 1e-6);
  }

  #remember(wish: Wish): void {
    const oldest = wish.atMs - this.settings.downAfterMs;
    const kept = this.#wishes.filter(({ atMs, size }) => atMs >= oldest && size > wish.size);
    this.#wishes = [...kept, wish];
  }
}
