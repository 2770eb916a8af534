import type { BatchLine } from './batching/batch-line.js';
import type { CallMeter } from '../core/index.js';
import { CallDuration } from './call-duration.js';
import type { CommandTaint } from './command-taint.js';
import type { CommandContract } from './contracts/command-contract.js';
import type { CallKind } from '../channel/index.js';

/** A call that runs for longer than this is long. */
export const LONG_US = 1_000;
/** A command is slow while its long calls cost more than this, spread over all of its calls. */
export const SLOW_US = 300;

/** Weights of a call that is longer than the estimate by what those behind it would notice, and of any other: doubts are raised fast and laid to rest slowly. */
const RISE = 0.5;
const FALL = 0.05;
/** Nobody minds that a call of 1 us took 30 for once: it was recorded, or a cache was cold. */
const NOTICED_US = 100;
/** Weight of a call in the cost of the long ones; the average looks back over about a hundred calls. */
const COST_WEIGHT = 0.01;

export type Pace = 'fast' | 'slow' | 'unknown';

/**
 * What is known of how long one command takes. Two questions are kept apart:
 *
 * - Can calls be put behind it? That the estimate tells, which a single long call raises over any sensible budget for some
 *   twenty calls: then the command runs alone, in whichever worker is idle.
 * - May it use the worker that is kept free for fast calls? That its pace tells, which a single call of less than 30 ms does not
 *   change: the operating system may have taken the worker off its CPU meanwhile, and a fast command that is taken for a slow one
 *   waits with thousands of calls behind those it was to be protected from. Two long calls in a hundred may be chance as well if they
 *   took 2 ms, but not if they took 50 ms; hence the cost of the long calls is judged, not their number.
 */
export class CommandProfile {
  pace: Pace;
  /** A moving average of service times, in microseconds, to which no call adds more than {@link LONG_US}; 0 while nothing is known. */
  estimateUs = 0;
  /** How long its calls take that have a worker to themselves; short ones are not worth the effort. */
  readonly duration = new CallDuration();
  /** Workers died of it lately; undefined while none has. */
  taint: CommandTaint | undefined = undefined;
  /** How its calls are batched; undefined where they are not. */
  batching: BatchLine | undefined = undefined;
  /** What its arguments and results are held against; undefined where nothing is known, or nothing is to be checked. */
  contract: CommandContract | undefined = undefined;
  /** Counts its calls; undefined while nobody has asked for that. */
  meter: CallMeter | undefined = undefined;
  /** A worker died that had it in hand beside others, and none has been seen to survive it since. */
  isSuspect = false;
  /** A moving average of what long calls took, short ones counting as 0; it is kept so low that trust comes back within 120 calls. */
  #longCostUs = 0;

  /** @param isConcurrent whether a worker runs its calls beside others, of this command or another, and is asked to */
  constructor(
    readonly kind: CallKind,
    public isConcurrent = false,
  ) {
    // A stream holds its worker for as long as its consumer likes.
    this.pace = kind === 'stream' ? 'slow' : 'unknown';
  }

  /** Whether its calls, however long, leave their worker free for others. */
  get isShared(): boolean {
    return this.isConcurrent && !this.isSuspect;
  }

  /** A worker died that had it in hand beside others: until it is seen to end well, it is given a worker to itself. */
  suspect(): void {
    this.isSuspect = true;
    if (this.kind === 'call') this.pace = 'unknown';
  }

  /** Takes in what a worker measured. A failure may have come before the work: it tells only how long a call takes at least. */
  learn(serviceUs: number, hasFailed = false): void {
    if (!hasFailed || serviceUs > 0) this.isSuspect = false;
    if (this.kind === 'stream') return;
    if (hasFailed && serviceUs <= (this.pace === 'slow' ? LONG_US : this.estimateUs)) return;
    const lengthUs = Math.min(serviceUs, LONG_US);
    const longCostUs = serviceUs > LONG_US ? serviceUs : 0;
    if (this.pace === 'unknown') {
      this.estimateUs = lengthUs;
      this.#longCostUs = Math.min(longCostUs, LONG_US);
    } else {
      const excessUs = lengthUs - this.estimateUs;
      this.estimateUs += excessUs * (excessUs > NOTICED_US ? RISE : FALL);
      this.#longCostUs = Math.min(this.#longCostUs + (longCostUs - this.#longCostUs) * COST_WEIGHT, LONG_US);
    }
    this.pace = this.#longCostUs > SLOW_US ? 'slow' : 'fast';
  }
}
