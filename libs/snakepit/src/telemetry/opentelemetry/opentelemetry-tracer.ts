import {
  context,
  isSpanContextValid,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Span,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';

import { isPlainObject, isSnakepitError, toError } from '../../core/index.js';
import type { TraceContext } from '../../channel/index.js';
import { optionsBelow, type CallRequest } from '../../pool/index.js';
import type { CallTrace, CallTracer, HostQuestion } from '../../runtime/index.js';
import { Attribute, SYSTEM } from './attributes.js';
import { CallSpan, harmless, recordFailure } from './call-span.js';
import { remoteContext, toTraceContext } from './trace-context.js';
import { recreateSpans } from './worker-spans.js';

/** Makes spans of calls, of what workers ask their host, and of what workers have recorded. */
export class OpenTelemetryTracer implements CallTracer {
  readonly #tracer: Tracer;
  /** What calls below unsampled spans are told, by those: the calls of one request share it. */
  readonly #unsampled = new WeakMap<SpanContext, CallTrace>();
  #hasWarned = false;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  begin(request: CallRequest, inherited: TraceContext | undefined): CallTrace | undefined {
    const parent = parentOf(request.options.trace, inherited);
    const unsampled = unsampledIn(parent);
    if (unsampled !== undefined) return this.#propagated(unsampled);
    const { command, kind, pool, options } = request;
    const attributes = { [Attribute.SYSTEM]: SYSTEM, [Attribute.METHOD]: command, [Attribute.POOL]: pool };
    const span = this.#tracer.startSpan(`snakepit ${command}`, { kind: SpanKind.CLIENT, attributes }, parent);
    const spanContext = span.spanContext();
    if (!isSpanContextValid(spanContext)) return undefined;
    const words = toTraceContext(spanContext);
    if (!span.isRecording()) return { trace: words, watcher: undefined };
    span.setAttribute(Attribute.KIND, kind);
    if (options.session !== undefined) span.setAttribute(Attribute.SESSION, options.session);
    return { trace: words, watcher: new CallSpan(span, kind === 'stream') };
  }

  answer(question: HostQuestion, body: () => Promise<unknown>): Promise<unknown> {
    const parent = remoteContext(question.trace);
    if (question.isOwn || question.trace === undefined || unsampledIn(parent) !== undefined) {
      return context.with(parent, body);
    }
    const { method, pool } = question;
    const attributes = { [Attribute.SYSTEM]: SYSTEM, [Attribute.METHOD]: method, [Attribute.POOL]: pool };
    const name = `snakepit ${nameOf(question)}`;
    const span = this.#tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
    return context.with(trace.setSpan(parent, span), () => untilSettled(span, body));
  }

  onSpans(pool: string, worker: string, spans: unknown): void {
    harmless(() => {
      if (recreateSpans(this.#tracer, { pool, worker }, spans) || this.#hasWarned) return;
      this.#hasWarned = true;
      process.emitWarning(
        "Spans that workers record are dropped: give your TracerProvider 'idGenerator: new SnakepitIdGenerator()' from nestjs-snakepit/opentelemetry, so that they keep their ids.",
        { code: 'SNAKEPIT_SPAN_IDS' },
      );
    });
  }

  #propagated(parent: SpanContext): CallTrace | undefined {
    let known = this.#unsampled.get(parent);
    if (known === undefined) {
      if (!isSpanContextValid(parent)) return undefined;
      const words = Object.freeze(toTraceContext(parent));
      known = { trace: words, watcher: undefined, options: optionsBelow(words) };
      this.#unsampled.set(parent, known);
    }
    return known;
  }
}

/** What the caller named, else what is active, else what the call inherits from the one on whose behalf it is made. */
function parentOf(named: TraceContext | undefined, inherited: TraceContext | undefined): Context {
  if (named !== undefined) return remoteContext(named);
  const active = context.active();
  return inherited === undefined || trace.getSpan(active) !== undefined ? active : remoteContext(inherited);
}

/**
 * The span that is active there if it is neither sampled nor recorded: nobody wants to see what is below it, and no sampler is asked. To ask
 * would cost several times what the call does.
 */
function unsampledIn(parent: Context): SpanContext | undefined {
  const span = trace.getSpan(parent);
  if (span === undefined || span.isRecording()) return undefined;
  const spanContext = span.spanContext();
  return (spanContext.traceFlags & TraceFlags.SAMPLED) === 0 ? spanContext : undefined;
}

/** A tool goes by the name that it is registered under, whatever a worker's language makes of it; one that there is not, by the worker's word. */
function nameOf({ method, args, subject }: HostQuestion): string {
  if (method !== 'tool.call') return method;
  const name = subject ?? (isPlainObject(args) ? args['name'] : undefined);
  return typeof name === 'string' ? `tool ${name.slice(0, 256)}` : method;
}

async function untilSettled(span: Span, body: () => Promise<unknown>): Promise<unknown> {
  try {
    return await body();
  } catch (thrown) {
    if (isSnakepitError(thrown)) recordFailure(span, thrown);
    else {
      span.recordException(toError(thrown));
      span.setStatus({ code: SpanStatusCode.ERROR, message: toError(thrown).message });
    }
    throw thrown;
  } finally {
    harmless(() => span.end());
  }
}
