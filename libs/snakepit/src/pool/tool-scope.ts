import { AsyncLocalStorage } from 'node:async_hooks';

import type { ToolRun } from './tool-run.js';

const scope = new AsyncLocalStorage<ToolRun>();
let openRuns = 0;

/** The run of a tool that is going on where this is asked. While no tool runs anywhere the question costs a comparison. */
export function currentToolRun(): ToolRun | undefined {
  if (openRuns === 0) return undefined;
  const run = scope.getStore();
  return run === undefined || run.isOver ? undefined : run;
}

/** Runs a task as part of a tool's run; {@link leaveToolScope} has to follow, once. */
export function enterToolScope<T>(run: ToolRun, task: () => T): T {
  openRuns += 1;
  return scope.run(run, task);
}

/** Where no tool runs any more, promises are not tracked any more either, which costs each of them. */
export function leaveToolScope(): void {
  openRuns -= 1;
  if (openRuns === 0) scope.disable();
}
