import type { Delivery, ErrorCode } from '../../core/index.js';
import type { Priority } from '../../pool/wait-queue.js';

export interface Outcome {
  /** Undefined for a call that succeeded. */
  readonly code: ErrorCode | undefined;
  readonly delivery: Delivery;
  /** The error's; empty for a call that succeeded. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

/** What a caller asks for. */
export interface CallPlan {
  readonly command: string;
  readonly kind: 'call' | 'stream';
  readonly timeoutMs: number;
  readonly priority: Priority;
  readonly session: string | undefined;
  readonly idempotent: boolean;
}

/** One call of the traffic, as its caller sees it. */
export class CallRecord {
  /** Every time the caller was told of an end; more than one is a violation. */
  readonly outcomes: Outcome[] = [];
  /** When the pool first gave it to a worker, which may be before its bytes leave. */
  placedAt: number | undefined;
  /** The workers that it was written to, in order. */
  readonly handedTo: string[] = [];
  /** Those of them that have answered it. */
  readonly answeredBy: string[] = [];
  /** Those of them that were told that it is to stop. */
  readonly askedToStop = new Set<string>();
  isCancelled = false;
  /** Of a stream: the items that its consumer got, and those it allowed beyond the first credit. */
  received = 0;
  granted = 0;
  /** Steers it, where its caller may leave it. */
  onCancel: () => void = () => {};
  onGrant: (chunks: number) => void = () => {};

  constructor(
    readonly n: number,
    readonly plan: CallPlan,
    readonly madeAt: number,
  ) {}

  get deadline(): number {
    return this.madeAt + this.plan.timeoutMs;
  }

  get isSettled(): boolean {
    return this.outcomes.length > 0;
  }

  settle(outcome: Outcome): void {
    this.outcomes.push(outcome);
  }
}
