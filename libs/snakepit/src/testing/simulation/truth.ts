import type { ErrorCode } from '../../core/index.js';
import type { Pool } from '../../pool/index.js';
import type { ResolvedPoolOptions } from '../../pool/options.js';
import type { CallRecord } from './call-record.js';
import type { Journal } from './journal.js';

/** What there is to be known when a caller is told an error. */
export interface Facts {
  readonly call: CallRecord;
  /** The error's. */
  readonly details: Readonly<Record<string, unknown>>;
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
  POOL_SATURATED: (facts) => ('waitMs' in facts.details ? wouldWait(facts) : hadNoRoom(facts)),
  QUEUE_TIMEOUT: (facts) => ('leftMs' in facts.details ? cameTooLate(facts) : hasWaited(facts)),
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

/** Full, or so full that a more urgent call took the place of one that had waited. */
function hadNoRoom({ call, details, pool, options }: Facts): boolean {
  if ('reason' in details) return options.maxQueue > 0 && call.plan.priority !== 'high';
  return pool.stats().queued >= options.maxQueue;
}

/** Refused at once, since those before it will take longer than it may wait. */
function wouldWait({ call, details, nowMs, options, pool }: Facts): boolean {
  const { waitMs, mayWaitMs } = details as { waitMs: number; mayWaitMs: number };
  const isNew = nowMs - call.madeAt < ROUNDING_MS && call.placedAt === undefined;
  return options.shedding && isNew && waitMs > mayWaitMs && pool.stats().queued > 0;
}

function hasWaited({ call, nowMs, options }: Facts): boolean {
  return call.placedAt === undefined && nowMs >= call.madeAt + options.queueTimeoutMs - ROUNDING_MS;
}

/** Given up when its turn came: what it had left was not enough, and others waited that had more. What it needed is told in whole ms, rounded up. */
function cameTooLate({ call, details, nowMs, options }: Facts): boolean {
  const { neededMs } = details as { neededMs: number };
  const mightHaveMadeIt = neededMs <= Math.ceil(call.plan.timeoutMs);
  return options.shedding && mightHaveMadeIt && call.deadline - nowMs < neededMs + ROUNDING_MS;
}
