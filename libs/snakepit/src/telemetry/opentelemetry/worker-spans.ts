import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type AttributeValue,
  type HrTime,
  type Span,
  type Tracer,
} from '@opentelemetry/api';

import { isPlainObject } from '../../core/index.js';
import { Attribute, SYSTEM } from './attributes.js';
import { withSpanId } from './id-generator.js';

const MAX_SPANS = 1_024;
const MAX_ATTRIBUTES = 128;
const MAX_EVENTS = 128;
const MAX_NAME_LENGTH = 256;
const MAX_TEXT_LENGTH = 32_768;
const TRACE_ID = /^(?!0+$)[0-9a-f]{32}$/;
const SPAN_ID = /^(?!0+$)[0-9a-f]{16}$/;

type Members = Readonly<Record<string, unknown>>;

/** Where spans come from. */
export interface SpanSource {
  readonly pool: string;
  readonly worker: string;
}

/**
 * Makes spans of what a worker has recorded, with the ids, parents and times that it gave them; what is malformed is left out.
 *
 * Returns false where the ids could not be kept, so that the spans were dropped: the provider has no `SnakepitIdGenerator`.
 */
export function recreateSpans(tracer: Tracer, source: SpanSource, batch: unknown): boolean {
  if (!isPlainObject(batch) || !Array.isArray(batch['spans'])) return true;
  const dropped = batch['dropped'];
  return batch['spans'].slice(0, MAX_SPANS).every((recorded: unknown) => {
    const span = isPlainObject(recorded) ? start(tracer, source, recorded) : undefined;
    if (span === undefined || !span.isRecording()) return true;
    if (span.spanContext().spanId !== (recorded as Members)['spanId']) return false;
    const isCommand = (recorded as Members)['kind'] === 'server';
    if (isCommand && typeof dropped === 'number' && dropped > 0) span.setAttribute(Attribute.DROPPED, dropped);
    finish(span, recorded as Members);
    return true;
  });
}

function start(tracer: Tracer, { pool, worker }: SpanSource, recorded: Members): Span | undefined {
  const { traceId, spanId, parentId, name, kind, attributes } = recorded;
  const startTime = timeOf(recorded['start']);
  if (!matches(traceId, TRACE_ID) || !matches(spanId, SPAN_ID) || !matches(parentId, SPAN_ID)) return undefined;
  if (typeof name !== 'string' || startTime === undefined || timeOf(recorded['end']) === undefined) return undefined;
  const isCommand = kind === 'server';
  const facts = {
    [Attribute.POOL]: pool,
    [Attribute.WORKER]: worker,
    ...(isCommand && { [Attribute.SYSTEM]: SYSTEM }),
  };
  const parent = { traceId, spanId: parentId, traceFlags: TraceFlags.SAMPLED, isRemote: isCommand };
  const options = {
    kind: isCommand ? SpanKind.SERVER : SpanKind.INTERNAL,
    startTime,
    attributes: { ...attributesOf(attributes), ...facts },
  };
  const context = trace.setSpanContext(ROOT_CONTEXT, parent);
  return withSpanId(spanId, () => tracer.startSpan(name.slice(0, MAX_NAME_LENGTH), options, context));
}

function finish(span: Span, { events, error, end }: Members): void {
  for (const event of Array.isArray(events) ? events.slice(0, MAX_EVENTS) : []) {
    if (!isPlainObject(event) || typeof event['name'] !== 'string') continue;
    span.addEvent(event['name'].slice(0, MAX_NAME_LENGTH), attributesOf(event['attributes']), timeOf(event['time']));
  }
  if (typeof error === 'string')
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.slice(0, MAX_TEXT_LENGTH) });
  span.end(timeOf(end));
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

/** Of microseconds since the epoch. */
function timeOf(value: unknown): HrTime | undefined {
  if (!Number.isSafeInteger(value) || (value as number) < 0) return undefined;
  const microseconds = value as number;
  return [Math.floor(microseconds / 1e6), (microseconds % 1e6) * 1_000];
}

function attributesOf(given: unknown): Attributes {
  if (!isPlainObject(given)) return {};
  const entries = Object.entries(given).slice(0, MAX_ATTRIBUTES);
  return Object.fromEntries(entries.flatMap(([key, value]) => (isAttribute(value) ? [[key, cut(value)]] : [])));
}

function isAttribute(value: unknown): value is AttributeValue {
  if (Array.isArray(value)) return value.every((item) => isScalar(item) && typeof item === typeof value[0]);
  return isScalar(value);
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function cut(value: AttributeValue): AttributeValue {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT_LENGTH) : value;
}
