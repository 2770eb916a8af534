import type { Delivery, ErrorCode } from '../../core/index.js';
import type { Priority } from '../../pool/wait-queue.js';

export interface Outcome {
  /** Undefined for a call that succeeded. */
  readonly code: ErrorCode | undefined;
  readonly delivery: Delivery;
  readonly atMs: number;
}

/** One call of the traffic, as its caller sees it. */
export class CallRecord {
  /** Every time the caller was told of an end; more than one is a violation. */
  readonly outcomes: Outcome[] = [];
  /** The workers that it was written to, in order. */
  readonly handedTo: string[] = [];
  /** Those of them that have answered it. */
  readonly answeredBy: string[] = [];
  /** Steers it, where its caller may leave it. */
  cancel: () => void = () => {};
  grant: (chunks: number) => void = () => {};

  constructor(
    readonly n: number,
    readonly command: string,
    readonly kind: 'call' | 'stream',
    readonly madeAt: number,
    readonly deadline: number,
    readonly priority: Priority,
    readonly session: string | undefined,
    readonly isIdempotent: boolean,
  ) {}

  get isSettled(): boolean {
    return this.outcomes.length > 0;
  }

  settle(outcome: Outcome): void {
    this.outcomes.push(outcome);
  }
}
