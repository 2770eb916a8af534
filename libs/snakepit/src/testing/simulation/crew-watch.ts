import { subscribe } from '../../core/index.js';
import type { ResolvedPoolOptions } from '../../pool/options.js';
import type { PoolStats, WorkerInfo } from '../../pool/pool-stats.js';
import type { ScriptedProcess } from './scripted-process.js';
import { fail } from './violation.js';

/** Why workers leave in whose place another was launched before. */
const REPLACED: ReadonlySet<string | undefined> = new Set(['restart', 'max-calls', 'ttl', 'idle', 'max-rss']);

/** Sees to it that a pool has as many workers as it may have, and that no more leave at once than may. */
export class CrewWatch {
  /** Workers that leave for one that replaces them. */
  readonly #replaced = new Set<string>();
  readonly stop: () => void;

  constructor(
    pool: string,
    private readonly options: ResolvedPoolOptions,
  ) {
    this.stop = subscribe('snakepit:worker', ({ pool: of, worker, to, reason }) => {
      if (of !== pool) return;
      if (to === 'draining' && REPLACED.has(reason)) this.#replaced.add(worker);
      if (to === 'dead') this.#replaced.delete(worker);
    });
  }

  /** @param restarts workers that were asked to be replaced by name, whatever `maxUnavailable` says */
  check(
    { size }: PoolStats,
    workers: readonly WorkerInfo[],
    processes: Iterable<ScriptedProcess>,
    restarts: number,
  ): void {
    const { autoscale, recycle } = this.options;
    if (autoscale !== false && (size < autoscale.min || size > autoscale.max)) {
      fail(`the pool is to have ${size} workers; autoscale from ${autoscale.min} to ${autoscale.max}`);
    }
    const dismissed = new Set([...processes].filter(({ isDismissed }) => isDismissed).map(({ id }) => id));
    const staying = workers.filter(
      ({ id, state }) => (state === 'ready' || state === 'starting') && !dismissed.has(id),
    );
    const leaving = Math.max(0, staying.length - size) + this.#replaced.size;
    const allowed = recycle.maxUnavailable + restarts;
    if (leaving > allowed) {
      fail(
        `${leaving} workers of ${size} are on their way out; maxUnavailable ${recycle.maxUnavailable}, ${restarts} restarts`,
      );
    }
  }
}
