import type { ErrorCode } from '../../core/index.js';
import type { Pool } from '../../pool/index.js';
import type { ResolvedPoolOptions } from '../../pool/options.js';
import type { CallRecord } from './call-record.js';
import type { Journal } from './journal.js';

/** What there is to be known when a caller is told an error. */
export interface Facts {
  readonly call: CallRecord;
  readonly nowMs: number;
  readonly options: ResolvedPoolOptions;
  readonly pool: Pool;
  readonly journal: Journal;
  /** The pool was asked to drain or to close, or has failed to start. */
  readonly isClosing: boolean;
}

/** Of sums of floating point numbers. */
const ROUNDING_MS = 1e-6;

/** What must be so where a call fails with this code; a code that is not here must not come up at all. */
const CAUSES: Partial<Record<ErrorCode, (facts: Facts) => boolean>> = {
  POOL_SATURATED: ({ pool, options }) => pool.stats().queued >= options.maxQueue,
  QUEUE_TIMEOUT: ({ call, nowMs, options }) =>
    call.placedAt === undefined && nowMs >= call.madeAt + options.queueTimeoutMs - ROUNDING_MS,
  CALL_TIMEOUT: ({ call, nowMs }) => nowMs >= call.deadline - ROUNDING_MS,
  CANCELLED: ({ call }) => call.isCancelled,
  WORKER_EXITED: ({ call, journal }) => call.handedTo.some((worker) => journal.hasEnded(worker)),
  // No heartbeat, or another call has hung in its worker: such a worker is still to be killed.
  WORKER_LOST: ({ call }) => call.handedTo.length > 0,
  PROTOCOL_ERROR: ({ call, journal }) => call.handedTo.some((worker) => journal.hasBroken(worker)),
  REMOTE_ERROR: ({ call, journal }) => journal.errorsOf(call.n).includes('REMOTE_ERROR'),
  INVALID_ARGUMENTS: ({ call, journal }) => journal.errorsOf(call.n).includes('INVALID_ARGUMENTS'),
  POOL_NOT_READY: ({ pool }) => pool.workers().every(({ state }) => state !== 'ready'),
  POOL_CLOSED: ({ isClosing }) => isClosing,
  COMMAND_TAINTED: ({ call, options, journal }) =>
    options.taint.enabled && journal.deathsOf(profileOf(call)) >= options.taint.deaths,
  SESSION_WORKER_UNAVAILABLE: ({ call, options }) => options.affinity !== 'hint' && call.plan.session !== undefined,
};

/** Whether an error says what has happened. */
export function isTrue(code: ErrorCode, facts: Facts): boolean {
  return CAUSES[code]?.(facts) ?? false;
}

/** Under which name the pool learns of a call: a command's calls and streams are kept apart. */
export function profileOf({ plan }: CallRecord): string {
  return `${plan.kind} ${plan.command}`;
}
