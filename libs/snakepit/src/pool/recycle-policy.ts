import type { RecycleReason } from '../worker/index.js';

export interface RecycleSettings {
  /** Each 0 for no limit. */
  readonly maxCalls: number;
  readonly ttlMs: number;
  readonly idleMs: number;
  readonly maxRssBytes: number;
  readonly jitterPercent: number;
}

/** What of one worker the policy looks at. */
export interface WorkerUse {
  /** Calls it has answered, and how many it has in hand. */
  readonly calls: number;
  readonly inFlight: number;
  readonly startedAt: number;
  /** Of its whole process group; undefined where it is not known. */
  readonly rssBytes: number | undefined;
}

/** A worker's own limits, and when it was last seen to work. */
interface Watched {
  /** What its limits are multiplied by: at most 1. */
  readonly share: number;
  lastCalls: number;
  lastUsedAt: number;
}

/**
 * Decides which workers have had their time; knows no process and no clock.
 *
 * Every worker gets limits of its own, a little below the given ones, so that those that were started together do not leave
 * together. The memory limit alone is the same for all: it is there for the machine, not for the worker.
 */
export class RecyclePolicy<Key extends object> {
  readonly #watched = new WeakMap<Key, Watched>();

  constructor(
    private readonly settings: RecycleSettings,
    /** From 0 up to 1. */
    private readonly random: () => number,
  ) {}

  get isOff(): boolean {
    const { maxCalls, ttlMs, idleMs, maxRssBytes } = this.settings;
    return maxCalls + ttlMs + idleMs + maxRssBytes === 0;
  }

  /** One look at a worker that takes calls; undefined while it may stay. */
  look(worker: Key, use: WorkerUse, nowMs: number): RecycleReason | undefined {
    const { maxCalls, ttlMs, idleMs, maxRssBytes } = this.settings;
    const watched = this.#watch(worker, nowMs);
    if (use.calls !== watched.lastCalls || use.inFlight > 0) {
      watched.lastCalls = use.calls;
      watched.lastUsedAt = nowMs;
    }
    const { share } = watched;
    if (maxRssBytes > 0 && (use.rssBytes ?? 0) > maxRssBytes) return 'max-rss';
    if (maxCalls > 0 && use.calls >= Math.max(1, Math.floor(maxCalls * share))) return 'max-calls';
    if (ttlMs > 0 && nowMs - use.startedAt >= ttlMs * share) return 'ttl';
    // One that never worked is as fresh as its replacement would be.
    if (idleMs > 0 && use.calls > 0 && nowMs - watched.lastUsedAt >= idleMs * share) return 'idle';
    return undefined;
  }

  #watch(worker: Key, nowMs: number): Watched {
    let watched = this.#watched.get(worker);
    if (watched === undefined) {
      const share = 1 - (this.random() * this.settings.jitterPercent) / 100;
      watched = { share, lastCalls: 0, lastUsedAt: nowMs };
      this.#watched.set(worker, watched);
    }
    return watched;
  }
}
