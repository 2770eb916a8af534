import { isSnakepitError } from '../../core/index.js';
import type { PoolService } from '../../runtime/index.js';

/** Far beyond any queue that is meant to be filled by tests. */
const MAX_FILLERS = 1_000_000;

/** Fills the queue of a pool whose workers take nothing, and keeps it full. */
export function fillQueue(pool: PoolService): { end(): void } {
  const abort = new AbortController();
  const command = pool.commands?.[0]?.name ?? 'ping';
  let isFull = false;
  const fill = (): void => {
    pool.execute(command, null, { signal: abort.signal, timeoutMs: Infinity, priority: 'high' }).catch(onFailure);
  };
  const onFailure = (error: unknown): void => {
    if (isSnakepitError(error, 'QUEUE_TIMEOUT') && !abort.signal.aborted) fill();
  };
  for (let count = 0; !isFull && count < MAX_FILLERS; count += 1) {
    const before = pool.stats().queued;
    fill();
    isFull = pool.stats().queued === before;
  }
  return { end: () => abort.abort(new Error('the queue is not full any more')) };
}
