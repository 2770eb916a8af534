import { SnakepitError } from '../core/index.js';
import type { TraceContext } from '../channel/index.js';
import {
  NO_OPTIONS,
  type CallOptions,
  type CallRequest,
  type CallSurroundings,
  type HostRequest,
  type InheritedOptions,
} from '../pool/index.js';
import { captured, type ResolvedContextOptions } from './call-context.js';
import { anySignal, callScopes, currentCallScope, inCallScope, type CallScope } from './call-scope.js';
import type { CallTracer, HostQuestion } from './call-tracer.js';
import type { AnswererTraits } from './host-methods.js';

/** Gives calls the trace, the context values and the deadline of where they are made, and what workers ask those of the call. */
export class Surroundings implements CallSurroundings {
  readonly #context: ResolvedContextOptions;
  #tracer: CallTracer | undefined;
  /** Somebody wants to know of every call. */
  #asksAlways: boolean;

  constructor(context: ResolvedContextOptions) {
    this.#context = context;
    this.#asksAlways = context.capture !== undefined;
  }

  get isPresent(): boolean {
    return callScopes.open > 0 || this.#asksAlways;
  }

  /** @throws SnakepitError MISUSE where there is a tracer already */
  trace(tracer: CallTracer): () => void {
    if (this.#tracer !== undefined) {
      throw new SnakepitError('MISUSE', {
        reason: 'The calls of this Snakepit are traced already; instrument it once.',
      });
    }
    this.#tracer = tracer;
    this.#asksAlways = true;
    return () => {
      if (this.#tracer !== tracer) return;
      this.#tracer = undefined;
      this.#asksAlways = this.#context.capture !== undefined;
    };
  }

  inherit(request: CallRequest): InheritedOptions {
    const scope = currentCallScope();
    const { capture } = this.#context;
    const here = capture === undefined ? undefined : captured(capture);
    const { options } = request;
    const hasNothing = scope === undefined && here === undefined;
    const inherited = hasNothing ? options : withInherited(options, scope, here);
    // Last, since nothing may fail any more: what the tracer has begun waits for the call's end.
    const traced = this.#tracer?.begin(request, scope?.trace);
    if (traced === undefined) return inherited;
    if (inherited === NO_OPTIONS && traced.options !== undefined) return traced.options;
    return { ...inherited, trace: traced.trace, watcher: traced.watcher };
  }

  /**
   * Runs what answers a worker's question; what it calls inherits from the call on whose behalf the worker asks. What the library answers
   * by itself (`isOwn`) makes no calls.
   */
  answer(request: HostRequest, traits: AnswererTraits, body: () => Promise<unknown>): Promise<unknown> {
    const { call } = request;
    const { isOwn = false } = traits;
    if (call === undefined) return body();
    const { meta, deadline, signal } = call;
    const trace = request.trace ?? meta?.trace;
    const tracer = this.#tracer;
    const traced = tracer === undefined ? body : () => tracer.answer(questionOf(request, traits, trace), body);
    if (isOwn) return traced();
    const { context } = meta ?? {};
    return inCallScope({ trace, context, deadline, signal }, () => {
      const { run } = this.#context;
      return run === undefined || context === undefined ? traced() : run(context, traced);
    });
  }

  onSpans(pool: string, worker: string, spans: unknown): void {
    this.#tracer?.onSpans(pool, worker, spans);
  }
}

function questionOf(request: HostRequest, traits: AnswererTraits, trace: TraceContext | undefined): HostQuestion {
  const { method, args, pool } = request;
  const { isOwn = false, subjectOf } = traits;
  return { method, args, pool, trace, isOwn, subject: subjectOf?.(request) };
}

function withInherited(
  options: CallOptions,
  scope: CallScope | undefined,
  here: Readonly<Record<string, string>> | undefined,
): InheritedOptions {
  return {
    ...options,
    trace: options.trace ?? scope?.trace,
    context: together(together(scope?.context, here), options.context),
    signal: anySignal(options.signal ?? undefined, scope?.signal),
    notAfter: scope?.deadline,
  };
}

/** The later ones win. */
function together(
  values: Readonly<Record<string, string>> | undefined,
  later: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> | undefined {
  if (values === undefined || later === undefined) return values ?? later;
  return { ...values, ...later };
}
