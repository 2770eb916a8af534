import type { Delivery } from '../../core/index.js';
import { PoolCall, type PoolCallParts } from '../pool-call.js';
import type { BatchLine } from './batch-line.js';
import type { Gathering } from './gathering.js';

/** What a worker holds in place of the calls of a batch. */
export interface Carrier extends PoolCall {
  /** How many calls it began with. */
  readonly size: number;
  /** A call wants no outcome any more; true for the last one. */
  leave(): boolean;
}

/** A call of a command that is batched; in a worker's hands it is there by its carrier. */
export class BatchedCall extends PoolCall {
  /** The batch that a worker holds it by; undefined while none does. */
  carrier: Carrier | undefined = undefined;
  readonly #gathering: Gathering;
  #batchSize: number | undefined = undefined;

  constructor(
    parts: PoolCallParts,
    readonly line: BatchLine,
  ) {
    super(parts);
    this.#gathering = line.gatheringFor(parts.settings);
  }

  override get gathering(): Gathering {
    return this.#gathering;
  }

  override get batchSize(): number | undefined {
    return this.#batchSize;
  }

  override get deliverySoFar(): Delivery {
    return this.carrier === undefined ? super.deliverySoFar : 'may-have-run';
  }

  /** A worker got it, with others. */
  board(carrier: Carrier, nowMs: number): void {
    this.carrier = carrier;
    this.startedAt ??= nowMs;
    this.workerId = carrier.workerId;
    this.attempts += 1;
    this.expiresAt = this.deadline;
    this.#batchSize = carrier.size;
  }
}
