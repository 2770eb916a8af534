/**
 * @param {ArrayLike<number>} values at least one
 * @param {number} share between 0 and 1; the nearest rank is taken, so the answer is one of the values
 */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).toSorted();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

/** @param {readonly number[]} values at least one */
export function median(values) {
  const sorted = Float64Array.from(values).toSorted();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {readonly number[]} values at least one */
export function summarize(values) {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}
