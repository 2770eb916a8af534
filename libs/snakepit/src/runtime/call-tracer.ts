import type { CallKind, TraceContext } from '../channel/index.js';
import type { CallWatcher, HostRequest } from '../pool/index.js';

/** A call that is about to be made. */
export interface CallStart {
  readonly pool: string;
  readonly kind: CallKind;
  readonly command: string;
  readonly session: string | undefined;
  /** What the caller named as its parent. */
  readonly trace: TraceContext | undefined;
  /** The parent where neither the caller nor the tracer knows another: that of the call on whose behalf this one is made. */
  readonly inherited: TraceContext | undefined;
}

/** What a tracer makes of a call. */
export interface CallTrace {
  /** What the worker is told. */
  readonly trace: TraceContext;
  /** Undefined for a call that is not recorded. */
  readonly watcher: CallWatcher | undefined;
}

/** Something that a worker asks its host. */
export interface HostQuestion extends Pick<HostRequest, 'method' | 'args' | 'pool'> {
  /** The span that asks. */
  readonly trace: TraceContext | undefined;
  /** Answered by the library, such as the data of sessions. */
  readonly isOwn: boolean;
}

/** Follows the calls of one {@link Snakepit}; none of its methods may throw but for what `answer` throws. */
export interface CallTracer {
  /** Undefined where there is nothing to tell the worker. */
  begin(start: CallStart): CallTrace | undefined;
  /** Runs what answers a worker, as a part of the trace of the span that asks. */
  answer(question: HostQuestion, body: () => Promise<unknown>): Promise<unknown>;
  /** A worker has finished spans; whatever it sent. */
  onSpans(pool: string, worker: string, spans: unknown): void;
}
