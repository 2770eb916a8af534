import type { CallKind } from '../channel/index.js';
import type { SnakepitError } from '../core/index.js';
import type { CallOptions } from './call-options.js';
import type { PoolCall } from './pool-call.js';

/** A call about to be admitted. */
export interface CallRequest {
  readonly pool: string;
  readonly kind: CallKind;
  readonly command: string;
  readonly options: CallOptions;
}

/** What a call is made with: what its caller said, and what it takes from where it is made. */
export interface InheritedOptions extends CallOptions {
  /** On the clock's `now()` scale: the call that this one is made for ends then. */
  readonly notAfter?: number | undefined;
  readonly watcher?: CallWatcher | undefined;
}

/** How a call ended for its caller. */
export interface CallOutcome {
  /** The worker that had it last; undefined when none had. */
  readonly worker: string | undefined;
  readonly queuedMs: number;
  /** How many workers it was given to. */
  readonly attempts: number;
  /** Items of a stream that reached the caller. */
  readonly chunks: number;
  readonly error: SnakepitError | undefined;
}

/** Sees one call to its end. Neither method may throw. */
export interface CallWatcher {
  /** A worker is through with the call, which it ran for so long; may come after the outcome, or never. */
  onReleased(serviceUs: number): void;
  /** Once, when the caller has its outcome. */
  onSettled(outcome: CallOutcome): void;
}

/** What calls take from where they are made, and who watches them. */
export interface CallSurroundings {
  /** Whether there is anything to take; asked by every call. */
  readonly isPresent: boolean;
  /** @throws SnakepitError MISUSE where the application's own functions return nonsense */
  inherit(request: CallRequest): InheritedOptions;
}

export const NO_SURROUNDINGS: CallSurroundings = {
  isPresent: false,
  inherit: ({ options }) => options,
};

/** What can be told of a call that was refused before it was one. */
export function refusedOutcome(error: SnakepitError): CallOutcome {
  return { worker: undefined, queuedMs: 0, attempts: 0, chunks: 0, error };
}

export function outcomeOf(call: PoolCall, nowMs: number, error: SnakepitError | undefined): CallOutcome {
  const { workerId: worker, admittedAt, startedAt, attempts, chunks } = call;
  return { worker, queuedMs: (startedAt ?? nowMs) - admittedAt, attempts, chunks, error };
}
