import type { CallMeta } from '../../channel/index.js';
import type { Clock } from '../../core/index.js';
import type { ToolRun } from '../../pool/index.js';

/** What a tool knows of the call on whose behalf it runs; its second argument. */
export class ToolContext {
  readonly #run: ToolRun;
  readonly #clock: Clock;

  /** @internal */
  constructor(
    /** The tool's name as it was registered. */
    readonly tool: string,
    /** The pool whose worker calls. */
    readonly pool: string,
    run: ToolRun,
    clock: Clock,
  ) {
    this.#run = run;
    this.#clock = clock;
  }

  /** The worker that calls, such as `reports-2`; undefined where it is gone. */
  get worker(): string | undefined {
    return this.#run.caller.workerId;
  }

  /** The command that calls. */
  get command(): string {
    return this.#run.caller.command;
  }

  /** The session that the command's call belongs to. */
  get session(): string | undefined {
    return this.#run.caller.meta?.session;
  }

  /** W3C trace context that the command's caller sent along. */
  get trace(): CallMeta['trace'] {
    return this.#run.caller.meta?.trace;
  }

  /** Context values that the command's caller sent along. */
  get context(): Readonly<Record<string, string>> {
    return this.#run.caller.meta?.context ?? NO_CONTEXT;
  }

  /** Milliseconds left to the command's deadline, at least 0; undefined without a deadline. */
  get deadlineMs(): number | undefined {
    const { deadline } = this.#run.caller;
    return deadline === Infinity ? undefined : Math.max(0, deadline - this.#clock.now());
  }

  /** How many tools wait for what this one does, itself included: 1 unless a tool has called the command. */
  get depth(): number {
    return this.#run.depth;
  }

  /** Aborts when the answer is of no use any more: the command's call has ended, was cancelled, or its time is up. */
  get signal(): AbortSignal {
    return this.#run.signal;
  }
}

const NO_CONTEXT: Readonly<Record<string, string>> = Object.freeze({});
