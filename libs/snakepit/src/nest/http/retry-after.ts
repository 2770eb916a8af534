import type { SnakepitError } from '../../runtime/index.js';

/** Where nothing is known of how long it takes. */
const DEFAULT_S = 1;
/** What is far off is not known for certain. */
const MAX_S = 60;

/**
 * Seconds after which a client may try again what failed for lack of a worker: by what the pool knew of its queue, as `retryAfterMs` in the error's
 * details says; 1 where it knew nothing.
 */
export function retryAfterSeconds({ details }: SnakepitError): number {
  const ms = details['retryAfterMs'];
  return typeof ms === 'number' && ms > 0 ? Math.min(Math.ceil(ms / 1_000), MAX_S) : DEFAULT_S;
}
