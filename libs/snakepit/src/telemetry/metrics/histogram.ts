/** Counts values by their size. Observing one allocates nothing. */
export class Histogram {
  readonly bounds: readonly number[];
  /** One count for each bound, and one for what is greater than all of them. */
  readonly counts: Float64Array;
  sum = 0;
  readonly #bounds: Float64Array;

  /** @param bounds ascending; a value that equals one is counted there */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#bounds = Float64Array.from(bounds);
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let at = 0;
    // The commonest calls are short: they are found at once.
    while (at < bounds.length && value > bounds[at]!) at += 1;
    this.counts[at]! += 1;
    this.sum += value;
  }
}
