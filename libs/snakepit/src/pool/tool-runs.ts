import { SnakepitError } from '../core/index.js';
import type { PoolCall } from './pool-call.js';
import type { Lane } from './scheduler.js';
import { ToolRun } from './tool-run.js';
import { enterToolScope, leaveToolScope } from './tool-scope.js';

/** What is known of one call that waits for tools. */
interface Waiting {
  readonly lane: Lane;
  readonly runs: Set<ToolRun>;
  /** How the lane was told of it. */
  as: 'blocked' | 'resting' | undefined;
}

export interface ToolRunsParts {
  readonly pool: string;
  /** A worker is held by a tool, or free again. */
  readonly onChange: () => void;
}

/** The tools that run on behalf of this pool's calls. */
export class ToolRuns {
  readonly #parts: ToolRunsParts;
  readonly #byCall = new Map<PoolCall, Waiting>();

  constructor(parts: ToolRunsParts) {
    this.#parts = parts;
  }

  /** The tools that a call waits for. */
  of(call: PoolCall): ReadonlySet<ToolRun> | undefined {
    return this.#byCall.size === 0 ? undefined : this.#byCall.get(call)?.runs;
  }

  /**
   * Runs a tool for a call that a worker holds. What is called inside it is known to be nested.
   *
   * @param blocks whether the worker can do nothing else until it has the answer
   * @throws what the task throws; SnakepitError CANCELLED when the call ends before it
   */
  run<T>(call: PoolCall, blocks: boolean, task: (run: ToolRun) => Promise<T>): Promise<T> {
    const run = new ToolRun(call, blocks, (call.settings.nesting?.depth ?? 0) + 1);
    this.#begin(call, run);
    // Written without `await` and `race`: while tools run promises are tracked, which makes each of them dear.
    return new Promise((resolve, reject) => {
      const end = (): void => {
        leaveToolScope();
        this.#finish(call, run);
      };
      const onResult = (value: T): void => {
        if (!run.settle()) return;
        end();
        resolve(value);
      };
      const onFailure = (error: unknown): void => {
        if (!run.settle()) return;
        end();
        reject(error);
      };
      run.onAbort = (reason) => {
        end();
        reject(reason);
      };
      try {
        enterToolScope(run, () => task(run)).then(onResult, onFailure);
      } catch (error) {
        onFailure(error);
      }
    });
  }

  onSettled(call: PoolCall, error: SnakepitError | undefined): void {
    if (this.#byCall.size > 0) this.end(call, endOf(error));
  }

  /** The call has ended, or is in no worker's hands any more: its tools are aborted. */
  end(call: PoolCall, why: string): void {
    if (this.#byCall.size === 0) return;
    const waiting = this.#byCall.get(call);
    if (waiting === undefined) return;
    this.#byCall.delete(call);
    this.#book(waiting, undefined);
    const reason = new SnakepitError('CANCELLED', { command: call.command, pool: this.#parts.pool, reason: why });
    for (const run of waiting.runs) run.abort(reason);
  }

  #begin(call: PoolCall, run: ToolRun): void {
    const { seat } = call;
    if (seat === undefined) throw new Error(`'${call.command}' asks for a tool, and no worker holds it`);
    let waiting = this.#byCall.get(call);
    if (waiting === undefined) {
      waiting = { lane: seat, runs: new Set(), as: undefined };
      this.#byCall.set(call, waiting);
    }
    waiting.runs.add(run);
    this.#update(waiting);
  }

  #finish(call: PoolCall, run: ToolRun): void {
    const waiting = this.#byCall.get(call);
    if (!waiting?.runs.delete(run)) return;
    if (waiting.runs.size === 0) this.#byCall.delete(call);
    this.#update(waiting);
  }

  #update(waiting: Waiting): void {
    const { runs } = waiting;
    const isBlocked = [...runs].some((run) => run.blocks);
    this.#book(waiting, isBlocked ? 'blocked' : runs.size > 0 ? 'resting' : undefined);
  }

  #book(waiting: Waiting, as: Waiting['as']): void {
    const { lane, as: before } = waiting;
    if (as === before) return;
    if (before !== undefined) lane[before] -= 1;
    if (as !== undefined) lane[as] += 1;
    waiting.as = as;
    this.#parts.onChange();
  }
}

/** Why the tools of a call are aborted. */
function endOf(error: SnakepitError | undefined): string {
  switch (error?.code) {
    case undefined:
      return 'the call has its result, and waits for the tool no more';
    case 'CANCELLED':
      return 'the caller of the call has left';
    case 'CALL_TIMEOUT':
      return "the call's time is up";
    default:
      return `the call has failed with ${error?.code}`;
  }
}
