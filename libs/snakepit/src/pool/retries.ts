import type { Clock, DeadlineSweep, Timer } from '../core/index.js';
import type { PoolCall } from './pool-call.js';

export interface RetrySettings {
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
}

export interface RetriesParts {
  readonly settings: RetrySettings;
  readonly clock: Clock;
  readonly deadlines: DeadlineSweep;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Lets a call wait for its next worker. */
  readonly again: (call: PoolCall) => void;
}

/**
 * How long the next attempt of a call is put off: at random up to a bound that doubles, so that calls which failed together do not come
 * together, and so that something is left of the call's time.
 *
 * @param attempts how often the call was tried
 * @param leftMs until its deadline
 */
export function retryDelayMs(settings: RetrySettings, attempts: number, leftMs: number, random: () => number): number {
  const { initialDelayMs, maxDelayMs } = settings;
  const bound = Math.min(maxDelayMs, initialDelayMs * 2 ** Math.max(0, attempts - 1));
  return Math.max(0, Math.min(random() * bound, leftMs / 2));
}

/** Calls that wait for the time of their next attempt; neither in a queue nor in a worker's hands. */
export class Retries {
  readonly #parts: RetriesParts;
  readonly #timers = new Map<PoolCall, Timer>();

  constructor(parts: RetriesParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#timers.size;
  }

  /** All that wait for their next attempt. */
  calls(): PoolCall[] {
    return [...this.#timers.keys()];
  }

  /** Tries a call again, after a delay. */
  add(call: PoolCall, nowMs: number): void {
    const { settings, clock, deadlines, random, again } = this.#parts;
    const delayMs = retryDelayMs(settings, call.attempts, call.deadline - nowMs, random);
    if (delayMs === 0) return again(call);
    call.expiresAt = call.deadline;
    deadlines.watch(call);
    const run = (): void => {
      this.#timers.delete(call);
      deadlines.forget(call);
      again(call);
    };
    this.#timers.set(call, clock.after(delayMs, run));
  }

  /** The call is over: without effect on one that is not here. */
  remove(call: PoolCall): void {
    this.#timers.get(call)?.cancel();
    this.#timers.delete(call);
  }
}
