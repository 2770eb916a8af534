import type { CallMeta, TraceContext } from '../channel/index.js';
import { describeValue, SnakepitError } from '../core/index.js';
import { contextProblem, traceProblem, type FactProblem } from './call-facts.js';
import { CallInput } from './call-input.js';
import type { CallWatcher } from './call-watcher.js';
import { VALIDATIONS, type Validation } from './contracts/validation.js';
import { inputProblem, type InputSource } from './input-source.js';
import type { ToolRun } from './tool-run.js';
import { PRIORITIES, type Priority } from './wait-queue.js';

const MAX_SESSION_ID_LENGTH = 256;

/** What a caller may say about one call. */
export interface CallOptions {
  /** Milliseconds for queue and execution together; `Infinity` for no limit. Default: the adapter's, else the pool's. */
  readonly timeoutMs?: number | undefined;
  /** Aborting it cancels the call, in the worker too; null: nothing does, not even that the client of an HTTP request leaves. */
  readonly signal?: AbortSignal | null | undefined;
  /**
   * Bytes for the command to read while it runs (`ctx.input`), as fast as it does. When the call ends, a source that was not read to its end is
   * destroyed; an HTTP request is read to its end instead. A call whose input was read from is not made again.
   */
  readonly input?: InputSource | undefined;
  /** Id of the session the call belongs to. */
  readonly session?: string | undefined;
  /** Among waiting calls; default `normal`. */
  readonly priority?: Priority | undefined;
  /** The command may safely run twice, so that the call is made again when its worker dies; default false. */
  readonly idempotent?: boolean | undefined;
  /** What of the call is held against the types that its command declares; default: what the pool's option `validate` says. */
  readonly validate?: Validation | undefined;
  /** Hears what the command reports by `ctx.progress`. */
  readonly onProgress?: ((value: unknown) => void) | undefined;
  /** W3C trace context that the worker is told; where calls are traced, the parent of the call's span. Default: that of where the call is made. */
  readonly trace?: TraceContext | undefined;
  /** Context values that the worker is told, beside those that the option `context` captures; these win. */
  readonly context?: Readonly<Record<string, string>> | undefined;
}

/** What a call is made with: what its caller said, and what it takes from where it is made. */
export interface InheritedOptions extends CallOptions {
  /** On the clock's `now()` scale: the call that this one is made for ends then. */
  readonly notAfter?: number | undefined;
  readonly watcher?: CallWatcher | undefined;
}

/** What a call remembers of its options; a caller may change its object afterwards. */
export interface CallSettings {
  readonly priority: Priority;
  readonly session: string | undefined;
  readonly isIdempotent: boolean;
  readonly meta: CallMeta | undefined;
  readonly signal: AbortSignal | undefined;
  readonly input: CallInput | undefined;
  readonly validate: Validation | undefined;
  readonly onProgress: ((value: unknown) => void) | undefined;
  /** The tool that it was called inside of. */
  readonly nesting: ToolRun | undefined;
  /** Undefined unless somebody traces calls. */
  readonly watcher: CallWatcher | undefined;
}

export const NO_OPTIONS: CallOptions = Object.freeze({});

/** Most calls say nothing but a timeout: they all share this. */
const PLAIN: CallSettings = Object.freeze({
  priority: 'normal',
  session: undefined,
  isIdempotent: false,
  meta: undefined,
  signal: undefined,
  input: undefined,
  validate: undefined,
  onProgress: undefined,
  nesting: undefined,
  watcher: undefined,
});

/** What every call of a declared command is made with, for all of them together. */
export function declaredOptions({ idempotent = false, ...others }: CallOptions): CallOptions {
  const saysNothing = !idempotent && Object.values(others).every((value) => value === undefined);
  return saysNothing ? NO_OPTIONS : Object.freeze({ idempotent, ...others });
}

/** Options that many calls share, with what they come to: nothing is looked at twice. */
class SharedOptions implements InheritedOptions {
  readonly settings: CallSettings;

  constructor(readonly trace: TraceContext) {
    this.settings = Object.freeze({ ...PLAIN, meta: { trace } });
  }
}

/** What calls are made with that say nothing, below a span that nobody records: `trace`, which has to be right. */
export function optionsBelow(trace: TraceContext): InheritedOptions {
  return Object.freeze(new SharedOptions(trace));
}

/** @throws SnakepitError INVALID_ARGUMENTS as {@link checkOptions} does */
export function settingsOf(command: string, pool: string, options: InheritedOptions): CallSettings {
  if (options === NO_OPTIONS) return PLAIN;
  if (options instanceof SharedOptions) return options.settings;
  checkOptions(command, pool, options);
  const { priority = 'normal', session, idempotent = false, validate, onProgress, watcher } = options;
  const signal = options.signal ?? undefined;
  const input = options.input && new CallInput(options.input);
  const meta = metaOf(options);
  const isOrdinary = priority === 'normal' && !idempotent && validate === undefined;
  if (isOrdinary && !meta && !signal && !input && !onProgress && !watcher) return PLAIN;
  return {
    priority,
    session,
    isIdempotent: idempotent,
    meta,
    signal,
    input,
    validate,
    onProgress,
    nesting: undefined,
    watcher,
  };
}

function metaOf({ session, trace, context }: CallOptions): CallMeta | undefined {
  if (session === undefined && trace === undefined && context === undefined) return undefined;
  // Calls that are traced say nothing but that.
  if (session === undefined && context === undefined && trace !== undefined) return { trace };
  return {
    ...(session !== undefined && { session }),
    ...(trace !== undefined && { trace }),
    ...(context !== undefined && { context }),
  };
}

export function isTimeout(given: unknown): given is number {
  return typeof given === 'number' && given > 0;
}

/** @throws SnakepitError INVALID_ARGUMENTS naming the option, the value and what is allowed */
export function checkOptions(command: string, pool: string, options: CallOptions): void {
  const { timeoutMs, session, priority, validate, input, trace, context } = options;
  const refuse = (option: string, given: unknown, allowed: string): never => {
    const reason = `the option '${option}' is ${describeValue(given)}; allowed is ${allowed}`;
    throw new SnakepitError('INVALID_ARGUMENTS', { command, pool, reason });
  };
  const refuseProblem = (option: string, problem: FactProblem | undefined): void => {
    if (problem === undefined) return;
    const reason = `the option '${option}${problem.path}' is ${problem.given}; allowed is ${problem.allowed}`;
    throw new SnakepitError('INVALID_ARGUMENTS', { command, pool, reason });
  };
  if (timeoutMs !== undefined && !isTimeout(timeoutMs)) refuse('timeoutMs', timeoutMs, 'a number above 0, or Infinity');
  if (priority !== undefined && !PRIORITIES.includes(priority)) {
    refuse('priority', priority, `one of ${PRIORITIES.join(', ')}`);
  }
  if (validate !== undefined && !VALIDATIONS.includes(validate)) {
    refuse('validate', validate, `one of ${VALIDATIONS.join(', ')}`);
  }
  if (input !== undefined) {
    const problem = inputProblem(input);
    const allowed = 'an unread Readable, ReadableStream or AsyncIterable of bytes or strings';
    if (problem !== undefined) refuse('input', input, `${allowed}; this is ${problem}`);
  }
  if (trace !== undefined) refuseProblem('trace', traceProblem(trace));
  if (context !== undefined) refuseProblem('context', contextProblem(context));
  if (session === undefined) return;
  if (typeof session !== 'string' || session === '' || session.length > MAX_SESSION_ID_LENGTH) {
    refuse('session', session, `a string of 1 to ${MAX_SESSION_ID_LENGTH} characters`);
  }
}
