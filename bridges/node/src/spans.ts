/// <reference lib="es2024.string" />
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { SPANS_EVENT, type CallMeta, type ErrorBody } from 'nestjs-snakepit/codec';

import { boundedAttributes, boundedText, MAX_NAME, type SpanAttributes } from './span-attributes.js';

const MAX_SPANS = 256;
const MAX_BYTES = 256 * 1024;
const BATCH_SPANS = 32;
const MAX_EVENTS = 64;
/** Version, trace id, span id, and flags whose lowest bit is set. */
const SAMPLED = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f][13579bdf]/;

/** A part of a call's trace. */
export interface Span {
  /** The span as the value of a header `traceparent`, for what it asks of others; undefined where nothing is recorded. */
  readonly traceparent: string | undefined;
  /** Adds attributes: text, numbers, booleans, lists of these; anything else as text. */
  set(attributes: SpanAttributes): this;
  /** Notes that something happened, now. */
  event(name: string, attributes?: SpanAttributes): this;
}

/** Stands for a span where nobody records. */
export const NO_SPAN: Span = Object.freeze({
  traceparent: undefined,
  set: () => NO_SPAN,
  event: () => NO_SPAN,
});

interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly name: string;
  /** Microseconds since the epoch. */
  readonly start: number;
  readonly end: number;
  readonly kind?: 'server';
  readonly attributes?: SpanAttributes;
  readonly events?: readonly unknown[];
  readonly error?: string;
}

type Send = (name: string, batch: unknown) => void;

const current = new AsyncLocalStorage<RecordedSpan>();

/** The trace of a call that is sampled, else undefined; `send` sends an event in the call's name. */
export function traceOf(command: string, trace: CallMeta['trace'], send: Send): CallTrace | undefined {
  const parent = trace?.traceparent === undefined ? null : SAMPLED.exec(trace.traceparent);
  return parent === null ? undefined : new CallTrace(command, parent[1]!, parent[2]!, trace?.tracestate, send);
}

/** The spans of one call; `root` is that of the command itself, whose parent is the caller's. */
export class CallTrace {
  readonly root: RecordedSpan;
  #finished: SpanRecord[] = [];
  #started = 0;
  #bytes = 0;
  #dropped = 0;
  #isOver = false;

  constructor(
    command: string,
    readonly traceId: string,
    parentId: string,
    private readonly tracestate: string | undefined,
    private readonly send: Send,
  ) {
    this.root = new RecordedSpan(this, `snakepit ${command}`, parentId, {});
  }

  /** The span that the running code is in. */
  get current(): RecordedSpan {
    const span = current.getStore();
    return span?.callTrace === this ? span : this.root;
  }

  /** The same as W3C trace context. */
  get header(): { readonly traceparent: string; readonly tracestate?: string } {
    const { traceparent } = this.current;
    return this.tracestate === undefined ? { traceparent } : { traceparent, tracestate: this.tracestate };
  }

  /** Runs `body` in a span below the current one, which ends when what `body` returns has settled. */
  run<Result>(name: string, attributes: SpanAttributes, body: (span: Span) => Result): Result {
    if (this.#isOver || this.#started >= MAX_SPANS) {
      this.#dropped += 1;
      return body(NO_SPAN);
    }
    this.#started += 1;
    const span = new RecordedSpan(this, name, this.current.spanId, attributes);
    const finish = (): void => this.#add(span.record());
    const fail = (thrown: unknown): void => {
      span.fail(typeOf(thrown), messageOf(thrown));
      finish();
    };
    let result: Result;
    try {
      result = current.run(span, () => body(span));
    } catch (thrown) {
      fail(thrown);
      throw thrown;
    }
    if (isThenable(result)) result.then(finish, fail);
    else finish();
    return result;
  }

  /** The command has ended, by `failure` if it failed: sends what was recorded. Later ends are without effect. */
  end(failure?: ErrorBody): void {
    if (this.#isOver) return;
    if (failure?.code === 'CANCELLED') this.root.event('cancelled');
    else if (failure !== undefined) this.root.fail(failure.type ?? failure.code, failure.message);
    this.#finished.push({ ...this.root.record(), kind: 'server' });
    this.#isOver = true;
    this.#flush(this.#dropped);
  }

  #add(record: SpanRecord): void {
    if (this.#isOver) return;
    this.#bytes += 200 + JSON.stringify([record.attributes, record.events]).length;
    if (this.#bytes > MAX_BYTES) {
      this.#dropped += 1;
      return;
    }
    this.#finished.push(record);
    if (this.#finished.length >= BATCH_SPANS) this.#flush(0);
  }

  /** What cannot be sent is dropped: the command must not fail by its spans. */
  #flush(dropped: number): void {
    const spans = this.#finished;
    this.#finished = [];
    try {
      this.send(SPANS_EVENT, dropped > 0 ? { spans, dropped } : { spans });
    } catch (error) {
      console.error('Spans cannot be sent:', error);
    }
  }
}

/** A span from when it is made. */
class RecordedSpan implements Span {
  readonly spanId = randomBytes(8).toString('hex');
  readonly #name: string;
  readonly #startedAt = Date.now();
  readonly #began = performance.now();
  readonly #events: unknown[] = [];
  #attributes: SpanAttributes;
  #error: string | undefined;

  constructor(
    readonly callTrace: CallTrace,
    name: string,
    readonly parentId: string,
    attributes: SpanAttributes,
  ) {
    this.#name = boundedText(name, MAX_NAME);
    this.#attributes = boundedAttributes(attributes);
  }

  get traceparent(): string {
    return `00-${this.callTrace.traceId}-${this.spanId}-01`;
  }

  set(attributes: SpanAttributes): this {
    this.#attributes = boundedAttributes({ ...this.#attributes, ...attributes });
    return this;
  }

  event(name: string, attributes: SpanAttributes = {}): this {
    if (this.#events.length >= MAX_EVENTS) return this;
    const time = this.#now();
    this.#events.push({ name: boundedText(name, MAX_NAME), time, attributes: boundedAttributes(attributes) });
    return this;
  }

  fail(type: string, message: string): void {
    this.event('exception', { 'exception.type': type, 'exception.message': message });
    this.#error = boundedText(`${type}: ${message}`);
  }

  record(): SpanRecord {
    return {
      traceId: this.callTrace.traceId,
      spanId: this.spanId,
      parentId: this.parentId,
      name: this.#name,
      start: this.#startedAt * 1_000,
      end: this.#now(),
      ...(Object.keys(this.#attributes).length > 0 && { attributes: this.#attributes }),
      ...(this.#events.length > 0 && { events: this.#events }),
      ...(this.#error !== undefined && { error: this.#error }),
    };
  }

  /** Microseconds since the epoch; since the span began the clock that never goes back counts. */
  #now(): number {
    return Math.round(this.#startedAt * 1_000 + (performance.now() - this.#began) * 1_000);
  }
}

function typeOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.constructor.name || thrown.name : typeof thrown;
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : boundedText(thrown);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
