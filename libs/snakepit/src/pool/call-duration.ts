/** Weights of the latest call, those of TCP's round-trip times (RFC 6298). */
const MEAN_WEIGHT = 1 / 8;
const DEVIATION_WEIGHT = 1 / 4;
/** So many deviations above the mean few calls take. */
const DEVIATIONS = 4;

/** How long the calls of a command take, as their callers see it, from the worker's hand-out to its answer; in milliseconds. */
export class CallDuration {
  meanMs = 0;
  #deviationMs = 0;

  /** What hardly any call takes longer than; 0 while nothing is known. */
  get mostMs(): number {
    return this.meanMs + DEVIATIONS * this.#deviationMs;
  }

  /** Takes in one call. A failure may have come before the work: it tells only how long a call takes at least. */
  learn(tookMs: number, hasFailed: boolean): void {
    if (hasFailed && tookMs <= this.meanMs) return;
    if (this.meanMs === 0) {
      this.meanMs = tookMs;
      this.#deviationMs = tookMs / 2;
      return;
    }
    const error = tookMs - this.meanMs;
    this.meanMs += error * MEAN_WEIGHT;
    this.#deviationMs += (Math.abs(error) - this.#deviationMs) * DEVIATION_WEIGHT;
  }
}
