import type { ChannelCall } from '../channel/index.js';

/** A call made inside a tool, as far as the tool's run goes. */
export interface NestedCall {
  abort(reason: unknown): void;
  /** Whether it can go on only when what waits for it has; `seen` is what the question has passed already. */
  isStuck(seen: Set<object>): boolean;
}

/** The call on whose behalf a tool runs. */
export interface ToolCaller extends ChannelCall {
  readonly workerId: string | undefined;
}

/** One run of a tool of the host, from a worker's question to the answer. */
export class ToolRun {
  /** Calls made inside it that have no outcome yet. */
  readonly nested = new Set<NestedCall>();
  /** Told once, if the run is aborted. */
  onAbort: ((reason: Error) => void) | undefined;
  #isOver = false;
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  constructor(
    readonly caller: ToolCaller,
    /** Whether the worker can do nothing else until it has the answer. */
    readonly blocks: boolean,
    /** How many tools wait for what is called in this one, this one included. */
    readonly depth: number,
  ) {}

  /** Whether it has its outcome, whatever its code still does. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Aborts when the answer is of no use any more. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /** Its task has an outcome; false if that comes too late. */
  settle(): boolean {
    const isInTime = !this.#isOver;
    this.#isOver = true;
    return isInTime;
  }

  /** Nobody waits for the answer any more; what was called inside it is cancelled. */
  abort(reason: Error): void {
    if (!this.settle()) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.onAbort?.(reason);
    for (const call of this.nested) call.abort(reason);
  }

  isStuck(seen: Set<object>): boolean {
    for (const call of this.nested) if (call.isStuck(seen)) return true;
    return false;
  }
}
