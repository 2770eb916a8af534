import { availableParallelism } from 'node:os';

/** How many processes a group that is not timed should compute with: all, unless a soak runs beside it. */
export function processesFor({ isQuick }) {
  const cpus = availableParallelism();
  return isQuick || !runsSideBySide({ isQuick }) ? cpus : cpus - 2;
}

/** Whether the groups that are not timed run at the same time. */
export function runsSideBySide({ isQuick }) {
  return availableParallelism() > 2 && !isQuick;
}
