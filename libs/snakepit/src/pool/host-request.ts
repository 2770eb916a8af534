import type { HostCall } from '../channel/index.js';
import type { ToolRun } from './tool-run.js';

/** What a worker asks of its host, on behalf of a call where that is still known. */
export interface HostRequest extends HostCall {
  readonly pool: string;
  /** Whether nobody waits for the call any more, or it is unknown. */
  readonly isOver: boolean;
  /**
   * Runs a tool for the call, which must not be over; see `ToolRuns.run`.
   *
   * @param blocks whether the worker can do nothing else until it has the answer
   */
  runTool<T>(blocks: boolean, task: (run: ToolRun) => Promise<T>): Promise<T>;
}

/** Answers what workers ask of their host; a rejection goes back to the worker as an error. */
export type HostCallHandler = (request: HostRequest) => Promise<unknown>;
