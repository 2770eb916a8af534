// Every exported function of this file is a command, and a generator is a stream.

/** Count, total and mean of a list of numbers. */
export function summarize({ amounts }) {
  if (amounts.length === 0) throw new RangeError('no amounts');
  const total = amounts.reduce((sum, amount) => sum + amount, 0);
  return { count: amounts.length, total, mean: total / amounts.length };
}

/** The total after each of the numbers. */
export function* runningTotals({ amounts }) {
  let total = 0;
  for (const amount of amounts) {
    total += amount;
    yield total;
  }
}
