import type { SnakepitError } from '../core/index.js';

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

/** What can be told of a call that was refused before it was one. */
export function refusedOutcome(error: SnakepitError): CallOutcome {
  return { worker: undefined, queuedMs: 0, attempts: 0, chunks: 0, error };
}
