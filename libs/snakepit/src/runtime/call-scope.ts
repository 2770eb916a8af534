import type { TraceContext } from '../channel/index.js';
import { Ambient } from '../core/index.js';

/** What calls inherit that are made inside, unless they say otherwise. */
export interface CallScope {
  /** Parent of their spans. */
  readonly trace?: TraceContext | undefined;
  /** Context values. */
  readonly context?: Readonly<Record<string, string>> | undefined;
  /** They end by then, whatever their own time-out; on the clock's `now()` scale, `performance.now()` unless another clock was given. */
  readonly deadline?: number | undefined;
  /** Cancels them, beside their own signal. */
  readonly signal?: AbortSignal | undefined;
}

interface OpenScope extends CallScope {
  isOpen: boolean;
}

const ambient = new Ambient<OpenScope>('callScope');

/** How many scopes are open. While it is 0 a call looks at nothing else. */
export const callScopes = { open: 0 };

/**
 * Runs `body`; the calls that it makes inherit from `scope` until what it returns has settled. Scopes nest: an inner one inherits what it
 * does not say, and ends no later. What `body` leaves behind running inherits nothing any more.
 */
export function inCallScope<Result>(scope: CallScope, body: () => Result): Result {
  const open = openWithin(currentCallScope(), scope);
  callScopes.open += 1;
  const leave = (): void => {
    open.isOpen = false;
    callScopes.open -= 1;
    ambient.leave();
  };
  let result: Result;
  try {
    result = ambient.enter(open, body);
  } catch (error) {
    leave();
    throw error;
  }
  if (isThenable(result)) result.then(leave, leave);
  else leave();
  return result;
}

/** The scope that this code runs in; undefined outside of any, and when it is over. */
export function currentCallScope(): CallScope | undefined {
  if (callScopes.open === 0) return undefined;
  const scope = ambient.current;
  return scope?.isOpen === true ? scope : undefined;
}

function openWithin(outer: CallScope | undefined, inner: CallScope): OpenScope {
  if (outer === undefined) return { ...inner, isOpen: true };
  return {
    trace: inner.trace ?? outer.trace,
    context: inner.context ?? outer.context,
    deadline: Math.min(inner.deadline ?? Infinity, outer.deadline ?? Infinity),
    signal: anySignal(inner.signal, outer.signal),
    isOpen: true,
  };
}

/** A signal that aborts with the first of both; undefined where there is none. */
export function anySignal(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  if (one === undefined || other === undefined || one === other) return one ?? other;
  return AbortSignal.any([one, other]);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
