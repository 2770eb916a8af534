/** Variables that tell numeric libraries how many threads they may use, each its own. */
export const NUMERIC_THREAD_VARIABLES = [
  'OMP_NUM_THREADS',
  'OPENBLAS_NUM_THREADS',
  'MKL_NUM_THREADS',
  'BLIS_NUM_THREADS',
  'VECLIB_MAXIMUM_THREADS',
  'NUMEXPR_NUM_THREADS',
  'NUMBA_NUM_THREADS',
  'RAYON_NUM_THREADS',
  'POLARS_MAX_THREADS',
] as const;

/** An even share of the CPUs: each of these libraries would else take all of them, in every worker. */
export function fairThreads(cpus: number, workers: number): number {
  return Math.max(1, Math.floor(cpus / Math.max(1, workers)));
}

/**
 * Adds the limit to an environment, unless it says something of the kind already: whoever sets one of the variables may count on the
 * libraries to go by it that look at others first. 0 threads stand for no limit.
 */
export function limitNumericThreads(env: Record<string, string>, threads: number): void {
  if (threads === 0 || NUMERIC_THREAD_VARIABLES.some((name) => env[name] !== undefined)) return;
  for (const name of NUMERIC_THREAD_VARIABLES) env[name] = String(threads);
}
