import type { ErrorCode } from '../core/index.js';
import type { BatchStats } from './batching/batch-line.js';
import type { ProcessMemory, ProcessUsage, RecycleReason, WorkerStateKind } from '../worker/index.js';
import type { ScaleReason } from './scale-policy.js';

/** What a pool can do at this moment: all of its workers, some of them, or none. */
export type PoolStatus = 'up' | 'degraded' | 'down';

export interface WorkerInfo {
  readonly id: string;
  readonly pid: number | undefined;
  readonly state: WorkerStateKind;
  readonly inFlight: number;
  /** Calls it has answered, and how many of those with an error. */
  readonly requests: number;
  readonly errors: number;
  /** Milliseconds its commands ran; what single commands took beyond 65 ms is not seen by the host. */
  readonly totalTimeMs: number;
  readonly uptimeMs: number;
  readonly language: string | undefined;
  readonly runtime: string | undefined;
  readonly codec: string | undefined;
}

export interface PoolStats {
  readonly pool: string;
  readonly status: PoolStatus;
  /** Wanted, ready, ready with nothing to do, ready with calls in hand. */
  readonly size: number;
  readonly workers: number;
  /** Workers beyond the size, started for nested calls; they are among the `workers`. */
  readonly lent: number;
  readonly available: number;
  readonly busy: number;
  readonly queued: number;
  /** Calls whose worker died and whose next attempt is put off; they are not among the queued. */
  readonly retrying: number;
  readonly inFlight: number;
  /** Since the pool was made. */
  readonly requests: number;
  readonly succeeded: number;
  readonly cancelled: number;
  readonly errors: number;
  readonly errorsByCode: Readonly<Partial<Record<ErrorCode, number>>>;
  readonly queueTimeouts: number;
  readonly saturated: number;
  readonly restarts: number;
  /** How many healthy workers were replaced, by the limit they had reached. */
  readonly recycled: Readonly<Record<RecycleReason, number>>;
  /** Commands that are batched, and what became of it; all other numbers here count calls, whether they were batched or not. */
  readonly batches: Readonly<Record<string, BatchStats>>;
  /** How often `autoscale` has changed the size, by its reason. */
  readonly scaled: Readonly<Record<ScaleReason, number>>;
  /** What has gone to all workers that it has had, and come from them: messages with all that is around the values. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly pids: readonly number[];
}

/** A process of a pool and what it takes of the memory. */
export interface ProcessMemoryInfo extends ProcessMemory {
  /** The worker's id, or `<pool>-zygote`. */
  readonly id: string;
  readonly pid: number;
}

/** A worker and what its process takes of the machine. */
export interface WorkerUsage extends ProcessUsage {
  readonly id: string;
}

export interface PoolMemory {
  /** What all processes take together, shared pages counted once. */
  readonly pssBytes: number;
  readonly processes: readonly ProcessMemoryInfo[];
}

/** Counts of one worker, by its lane. */
export class WorkerCounters {
  requests = 0;
  errors = 0;
  totalTimeUs = 0;
}

/** Counts of one pool. */
export class PoolCounters {
  requests = 0;
  succeeded = 0;
  /** Calls whose caller left; those are no errors. */
  cancelled = 0;
  errors = 0;
  readonly errorsByCode: Partial<Record<ErrorCode, number>> = {};

  /** A call has its outcome; `code` is that of its error, if it has one. */
  onSettled(code: ErrorCode | undefined): void {
    if (code === undefined) {
      this.succeeded += 1;
      return;
    }
    if (code === 'CANCELLED') this.cancelled += 1;
    else this.errors += 1;
    this.errorsByCode[code] = (this.errorsByCode[code] ?? 0) + 1;
  }
}
