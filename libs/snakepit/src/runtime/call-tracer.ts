import type { TraceContext } from '../channel/index.js';
import type { CallRequest, CallWatcher, HostRequest, InheritedOptions } from '../pool/index.js';

/** What a tracer makes of a call. */
export interface CallTrace {
  /** What the worker is told. */
  readonly trace: TraceContext;
  /** Undefined for a call that is not recorded. */
  readonly watcher: CallWatcher | undefined;
  /** What a call is made with that says nothing itself; with `optionsBelow` many that are told the same share it. */
  readonly options?: InheritedOptions;
}

/** Something that a worker asks its host. */
export interface HostQuestion extends Pick<HostRequest, 'method' | 'args' | 'pool'> {
  /** The span that asks. */
  readonly trace: TraceContext | undefined;
  /** Answered by the library, such as the data of sessions. */
  readonly isOwn: boolean;
  /** What it is about by the host's own name, such as the one under which a tool is registered. */
  readonly subject?: string | undefined;
}

/** Follows the calls of one {@link Snakepit}; none of its methods may throw but for what `answer` throws. */
export interface CallTracer {
  /**
   * A call is about to be made; undefined where there is nothing to tell the worker. `inherited` is the parent where neither the call's
   * options nor the tracer know another: that of the call on whose behalf this one is made.
   */
  begin(request: CallRequest, inherited: TraceContext | undefined): CallTrace | undefined;
  /** Runs what answers a worker, as a part of the trace of the span that asks. */
  answer(question: HostQuestion, body: () => Promise<unknown>): Promise<unknown>;
  /** A worker has finished spans; whatever it sent. */
  onSpans(pool: string, worker: string, spans: unknown): void;
}
