import type { CallKind } from '../channel/index.js';

/** A command whose estimate is above this runs alone in its worker. */
export const SLOW_US = 1_000;

/** Weights of a new measurement that is longer, and shorter, than the estimate: doubts are raised fast and laid to rest slowly. */
const RISE = 0.5;
const FALL = 0.05;

export type Pace = 'fast' | 'slow' | 'unknown';

/** What is known of how long one command takes: a moving average of its service times. */
export class CommandProfile {
  #estimateUs: number | undefined;
  pace: Pace;

  constructor(readonly kind: CallKind) {
    // A stream holds its worker for as long as its consumer likes.
    this.pace = kind === 'stream' ? 'slow' : 'unknown';
  }

  /** Microseconds; 0 while nothing is known. */
  get estimateUs(): number {
    return this.#estimateUs ?? 0;
  }

  learn(serviceUs: number): void {
    if (this.kind === 'stream') return;
    const before = this.#estimateUs;
    const after = before === undefined ? serviceUs : before + (serviceUs - before) * (serviceUs > before ? RISE : FALL);
    this.#estimateUs = after;
    this.pace = after > SLOW_US ? 'slow' : 'fast';
  }
}
