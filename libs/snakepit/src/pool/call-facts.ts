import { describeValue, isPlainObject } from '../core/index.js';

/** What bounds the context values of a call. */
export const MAX_CONTEXT_KEYS = 32;
const MAX_CONTEXT_KEY_LENGTH = 128;
const MAX_CONTEXT_VALUE_LENGTH = 1_024;

/** What the specification has, and room for versions to come. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;
const MAX_TRACESTATE_LENGTH = 1_024;

/** Something that a call cannot be sent with. */
export interface FactProblem {
  /** Below the option, such as `.tenant`; empty for itself. */
  readonly path: string;
  readonly given: string;
  readonly allowed: string;
}

/** What is wrong with context values; undefined when nothing is. */
export function contextProblem(context: unknown): FactProblem | undefined {
  const problem = (path: string, given: string, allowed: string): FactProblem => ({ path, given, allowed });
  if (!isPlainObject(context)) return problem('', describeValue(context), 'an object of strings');
  const entries = Object.entries(context);
  if (entries.length > MAX_CONTEXT_KEYS)
    return problem('', `an object of ${entries.length}`, `at most ${MAX_CONTEXT_KEYS}`);
  for (const [key, value] of entries) {
    if (key === '' || key.length > MAX_CONTEXT_KEY_LENGTH) {
      return problem(
        '',
        `an object with the key ${describeValue(key)}`,
        `keys of 1 to ${MAX_CONTEXT_KEY_LENGTH} characters`,
      );
    }
    if (typeof value !== 'string')
      return problem(`.${key}`, describeValue(value), 'a string; convert other values, or leave them out');
    if (value.length > MAX_CONTEXT_VALUE_LENGTH) {
      return problem(`.${key}`, `a string of ${value.length} characters`, `at most ${MAX_CONTEXT_VALUE_LENGTH}`);
    }
  }
  return undefined;
}

/** Trace contexts that were found right and cannot change: all calls of a request below an unsampled span bring the same one. */
const rightForGood = new WeakSet<object>();

/** What is wrong with a trace context; undefined when nothing is. */
export function traceProblem(trace: unknown): FactProblem | undefined {
  if (rightForGood.has(trace as object)) return undefined;
  const problem = problemOf(trace);
  if (problem === undefined && Object.isFrozen(trace)) rightForGood.add(trace as object);
  return problem;
}

function problemOf(trace: unknown): FactProblem | undefined {
  if (!isPlainObject(trace)) return { path: '', given: describeValue(trace), allowed: 'an object with traceparent' };
  const { traceparent, tracestate } = trace;
  if (typeof traceparent !== 'string' || !TRACEPARENT.test(traceparent)) {
    return {
      path: '.traceparent',
      given: describeValue(traceparent),
      allowed: 'that of W3C, 00-<trace id>-<span id>-<flags>',
    };
  }
  if (tracestate === undefined || (typeof tracestate === 'string' && tracestate.length <= MAX_TRACESTATE_LENGTH))
    return undefined;
  const allowed = `a string of at most ${MAX_TRACESTATE_LENGTH} characters`;
  return { path: '.tracestate', given: describeValue(tracestate), allowed };
}
