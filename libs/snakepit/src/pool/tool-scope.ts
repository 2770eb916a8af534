import { Ambient } from '../core/index.js';
import type { ToolRun } from './tool-run.js';

const scope = new Ambient<ToolRun>('toolRun');

/** The run of a tool that is going on where this is asked. While no tool runs anywhere the question costs a comparison. */
export function currentToolRun(): ToolRun | undefined {
  const run = scope.current;
  return run === undefined || run.isOver ? undefined : run;
}

/** Runs a task as part of a tool's run; {@link leaveToolScope} has to follow, once. */
export function enterToolScope<T>(run: ToolRun, task: () => T): T {
  return scope.enter(run, task);
}

export function leaveToolScope(): void {
  scope.leave();
}
