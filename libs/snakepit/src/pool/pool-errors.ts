import { isSnakepitError, SnakepitError, toError, type Delivery } from '../core/index.js';
import { InputFailure } from './call-input.js';
import type { PoolCall } from './pool-call.js';

/** What a person needs to know of a pool that could not take a call in time. */
export interface PoolLoad {
  readonly queued: number;
  readonly busy: number;
  readonly workers: number;
  /** When there may be room again; absent where nothing tells. */
  readonly retryAfterMs?: number;
}

/** @param cause the signal's reason, or what broke the call's input */
export function cancelled(command: string, pool: string, cause: unknown, delivery: Delivery): SnakepitError {
  if (cause instanceof InputFailure) return cause.toError(command, pool, delivery);
  return new SnakepitError('CANCELLED', { command, pool }, { cause, delivery });
}

/** What was thrown while the arguments were looked at, as the caller gets it. */
export function invalidArguments(command: string, pool: string, thrown: unknown): SnakepitError {
  if (isSnakepitError(thrown)) return thrown;
  return new SnakepitError('INVALID_ARGUMENTS', { command, pool, reason: toError(thrown).message }, { cause: thrown });
}

/** What the adapter threw while it looked at a result, as the caller gets it. */
export function invalidResult(command: string, pool: string, thrown: unknown): SnakepitError {
  if (isSnakepitError(thrown)) return thrown;
  const reason = `the adapter's processResponse threw: ${toError(thrown).message}`;
  return new SnakepitError('INVALID_RESULT', { command, pool, reason }, { cause: thrown });
}

/** @param until when it stopped waiting: as it got a worker, or now */
export function callTimeout(pool: string, call: PoolCall, until: number): SnakepitError {
  const { command, timeoutMs, admittedAt, seat, deliverySoFar: delivery } = call;
  const details = { command, pool, timeoutMs, waitedMs: Math.round(until - admittedAt) };
  if (seat !== undefined) return new SnakepitError('CALL_TIMEOUT', { ...details, worker: seat.workerId });
  return new SnakepitError('CALL_TIMEOUT', details, { delivery });
}

/** A call that had begun in a worker that is killed for what another call does to it. */
export function lostToHungWorker(pool: string, worker: string, { command, recalledFor }: PoolCall): SnakepitError {
  return new SnakepitError('WORKER_LOST', { pool, worker, command, reason: `'${recalledFor}' hung in it` });
}

export function queueTimeout(
  pool: string,
  { command }: PoolCall,
  waitedMs: number,
  queueTimeoutMs: number,
  load: PoolLoad,
): SnakepitError {
  return new SnakepitError('QUEUE_TIMEOUT', { command, pool, waitedMs: Math.round(waitedMs), queueTimeoutMs, ...load });
}

/** Its time would be up by when its turn comes; {@link neededMs} says how much it must have left. */
export function tooLate(
  pool: string,
  { command }: PoolCall,
  times: { readonly waitedMs: number; readonly leftMs: number; readonly neededMs: number },
  load: PoolLoad,
): SnakepitError {
  const { waitedMs, leftMs, neededMs } = times;
  return new SnakepitError('QUEUE_TIMEOUT', {
    command,
    pool,
    waitedMs: Math.round(waitedMs),
    leftMs: Math.max(0, Math.floor(leftMs)),
    neededMs: Math.ceil(neededMs),
    ...load,
  });
}

/** @param limits the option that bounds the queue, with its value; for bytes also how many wait */
export function saturated(
  pool: string,
  limits: { readonly maxQueue: number } | { readonly maxQueueBytes: number; readonly queuedBytes: number },
  load: PoolLoad,
  reason?: string,
): SnakepitError {
  return new SnakepitError('POOL_SATURATED', { pool, ...limits, ...load, ...(reason !== undefined && { reason }) });
}

/** The queue is too long for the time that the call has: for all of it, or for that in the queue. */
export function queueTooLong(
  pool: string,
  times: { readonly waitMs: number; readonly mayWaitMs: number; readonly option: 'timeoutMs' | 'queueTimeoutMs' },
  load: PoolLoad,
): SnakepitError {
  const { waitMs, mayWaitMs, option } = times;
  const rounded = { waitMs: Math.round(waitMs), mayWaitMs: Math.round(mayWaitMs) };
  return new SnakepitError('POOL_SATURATED', { pool, ...rounded, option, ...load });
}

/**
 * A call made inside a tool whose turn cannot come before the tool's end.
 *
 * @param isPinned whether only the worker of its session may take it
 */
export function nestedDeadlock(
  pool: string,
  { command, session }: PoolCall,
  isPinned: boolean,
  lent: number,
): SnakepitError {
  if (isPinned) {
    const held = `the worker of session '${session}' is held`;
    const remedy = `Call it outside of the session, make the command that waits for the tool asynchronous, or use the affinity 'hint'`;
    return new SnakepitError('NESTED_DEADLOCK', { command, pool, session, held, remedy });
  }
  const held = lent === 0 ? 'every worker is held' : `every worker is held, ${lent} lent ones included,`;
  return new SnakepitError('NESTED_DEADLOCK', { command, pool, held, lent });
}

export function sessionWorkerUnavailable(pool: string, { session }: PoolCall, reason: 'busy' | 'gone'): SnakepitError {
  return new SnakepitError('SESSION_WORKER_UNAVAILABLE', { session, pool, reason });
}

export function closed(pool: string, delivery: Delivery): SnakepitError {
  return new SnakepitError('POOL_CLOSED', { pool }, { delivery });
}
