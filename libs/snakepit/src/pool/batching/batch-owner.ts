import type { OpenCalls } from '../open-calls.js';
import type { PoolCall, PoolCallOwner } from '../pool-call.js';
import type { Batch } from './batch.js';

export interface BatchOwnerParts {
  readonly open: OpenCalls;
  /** What the pool does for calls. */
  readonly calls: PoolCallOwner;
  /** No worker holds the batch any more. */
  readonly onOver: (batch: Batch) => void;
}

/** What the pool does for batches: the same as for calls, but that they have no caller and are not counted. */
export class BatchOwner implements PoolCallOwner {
  constructor(private readonly parts: BatchOwnerParts) {}

  onReleased(batch: PoolCall, serviceUs: number, hasFailed: boolean): void {
    this.parts.calls.onReleased(batch, serviceUs, hasFailed);
    this.parts.onOver(batch as Batch);
  }

  onSettled(batch: PoolCall): void {
    if (batch.seat === undefined) this.parts.open.leave();
  }

  onCallExpired(batch: PoolCall, nowMs: number): void {
    this.parts.calls.onCallExpired(batch, nowMs);
  }

  onRecalled(batch: PoolCall, hasRun: boolean): void {
    this.parts.calls.onRecalled(batch, hasRun);
  }

  /** A batch has no signal. */
  onCallAborted(): void {}

  isStuck(batch: PoolCall, seen: Set<object>): boolean {
    return this.parts.calls.isStuck(batch, seen);
  }

  /** Each of its calls looks after its own listener. */
  onListenerFailed(): void {}

  /** The adapter sees each call's own result. */
  toResult(_: PoolCall, answer: unknown): unknown {
    return answer;
  }
}
