import type { Worker } from '../worker/index.js';

/** The workers of one pool, and what each is to it. */
export class Roster {
  readonly workers = new Set<Worker>();
  /** Workers being replaced or retired on purpose: their end is no crash. */
  readonly leaving = new Set<Worker>();
  /** Workers that have yet to prove themselves before another is retired for them. */
  readonly replacements = new Set<Worker>();
  /** Workers beyond the size, for nested calls only: none is missed when it ends. */
  readonly lent = new Set<Worker>();

  /** Workers that serve, lent ones apart. */
  get readyCount(): number {
    let count = 0;
    for (const worker of this.workers) if (worker.state.kind === 'ready' && !this.lent.has(worker)) count += 1;
    return count;
  }

  /** Workers that may yet become ready, lent ones apart, and that will be missed should they end before. */
  get startingCount(): number {
    let count = 0;
    for (const worker of this.workers) {
      if (worker.state.kind === 'starting' && !this.leaving.has(worker) && !this.lent.has(worker)) count += 1;
    }
    return count;
  }

  /** Lent workers that are there or on their way. */
  get lentCount(): number {
    let count = 0;
    for (const { state } of this.lent) if (state.kind === 'starting' || state.kind === 'ready') count += 1;
    return count;
  }

  get lentStartingCount(): number {
    let count = 0;
    for (const { state } of this.lent) if (state.kind === 'starting') count += 1;
    return count;
  }

  /** How many workers count towards the size of the pool. */
  get stayingCount(): number {
    return this.workers.size - this.leaving.size - this.lent.size;
  }

  get isStarting(): boolean {
    for (const { state } of this.workers) if (state.kind === 'starting') return true;
    return false;
  }

  /** The longest that a worker which is ready took to start; 0 without any. */
  get startMs(): number {
    const times = [...this.workers].map(({ state }) => (state.kind === 'ready' ? state.startMs : 0));
    return Math.max(0, ...times);
  }

  /** The workers that are the least use to a pool of this size. */
  surplus(size: number): Worker[] {
    const staying = [...this.workers].filter((worker) => !this.leaving.has(worker) && !this.lent.has(worker));
    return staying.toSorted(byUsefulness).slice(size);
  }

  /** The worker's process is gone. */
  remove(worker: Worker): { readonly wasLeaving: boolean; readonly wasLent: boolean } {
    this.workers.delete(worker);
    return { wasLeaving: this.leaving.delete(worker), wasLent: this.lent.delete(worker) };
  }
}

/** Ready workers first, idle ones last among them, so that shrinking costs as little as it can. */
function byUsefulness(a: Worker, b: Worker): number {
  const rank = (worker: Worker): number => (worker.state.kind === 'ready' ? (worker.channel?.inFlight ?? 0) + 1 : 0);
  return rank(b) - rank(a);
}
