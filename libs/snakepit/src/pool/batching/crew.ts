import { toCallerError } from '../../channel/index.js';
import { SnakepitError } from '../../core/index.js';
import type { CallListener } from '../pool-call.js';
import { readBatchAnswer } from './batch-answer.js';
import type { BatchedCall, Carrier } from './batched-call.js';

/** The calls of one batch, which hear its outcome: each its own part, or all why there is none. */
export class Crew implements CallListener {
  /** Why no worker got the batch; undefined while it was not tried, and when one did. */
  refusal: SnakepitError | undefined = undefined;
  readonly #pool: string;
  #calls: readonly BatchedCall[];
  #carrier: Carrier | undefined = undefined;
  /** Calls that still wait for the outcome. */
  #left = 0;

  constructor(pool: string, calls: readonly BatchedCall[]) {
    this.#pool = pool;
    this.#calls = calls;
  }

  /** Hands on what the batch reports, to whom it may concern; undefined where that is nobody. */
  get progressListener(): ((value: unknown) => void) | undefined {
    const listeners = this.#calls.filter(({ settings }) => settings.onProgress !== undefined);
    if (listeners.length === 0) return undefined;
    return (value) => {
      for (const call of listeners) if (!call.isSettled) call.onProgress(value);
    };
  }

  /** A worker has got the batch. */
  board(carrier: Carrier, nowMs: number): void {
    this.#carrier = carrier;
    this.#left = this.#calls.length;
    for (const call of this.#calls) call.board(carrier, nowMs);
  }

  /** A call wants no outcome any more; true for the last one. */
  leave(): boolean {
    this.#left -= 1;
    return this.#left === 0;
  }

  /** Takes the calls off the batch: those that have no outcome yet. */
  disband(): BatchedCall[] {
    const calls = this.#calls.filter((call) => !call.isSettled);
    for (const call of calls) call.carrier = undefined;
    this.#calls = [];
    return calls;
  }

  onValue(answer: unknown): void {
    const count = this.#calls.length;
    const read = readBatchAnswer(answer, count);
    if ('problem' in read) return this.onError(this.#invalid(read.problem));
    const calls = this.#calls;
    this.disband();
    const { workerId: worker = '' } = this.#carrier!;
    calls.forEach((call, index) => {
      const outcome = read.outcomes[index]!;
      if (call.isSettled) return;
      if ('error' in outcome)
        call.onFailure(toCallerError(outcome.error, call.command, { pool: this.#pool, worker }), 0);
      else call.onResult(outcome.value, 0);
    });
  }

  onError(error: SnakepitError): void {
    if (this.#carrier === undefined) this.refusal = error;
    else for (const call of this.disband()) call.onFailure(error, 0);
  }

  onChunk(): void {
    throw new Error('a batch is no stream, but got a chunk');
  }

  onEnd(): void {
    throw new Error('a batch is no stream, but got an end');
  }

  #invalid(reason: string): SnakepitError {
    const { command, workerId: worker } = this.#carrier!;
    return new SnakepitError('INVALID_RESULT', { command, pool: this.#pool, worker, reason });
  }
}
