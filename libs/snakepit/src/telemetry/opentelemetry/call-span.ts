import { diag, SpanStatusCode, type Span } from '@opentelemetry/api';

import type { SnakepitError } from '../../core/index.js';
import type { CallOutcome, CallWatcher } from '../../pool/index.js';
import { Attribute } from './attributes.js';

/** The span of one call, from `execute` to its outcome. */
export class CallSpan implements CallWatcher {
  readonly #span: Span;
  readonly #isStream: boolean;

  constructor(span: Span, isStream: boolean) {
    this.#span = span;
    this.#isStream = isStream;
  }

  /** After a call has timed out or was cancelled the span is closed already, and this without effect. */
  onReleased(serviceUs: number): void {
    this.#span.setAttribute(Attribute.SERVICE_MS, serviceUs / 1_000);
  }

  onSettled(outcome: CallOutcome): void {
    harmless(() => {
      const { worker, queuedMs, attempts, chunks, error } = outcome;
      if (worker !== undefined) this.#span.setAttribute(Attribute.WORKER, worker);
      this.#span.setAttribute(Attribute.QUEUE_MS, queuedMs);
      if (attempts > 1) this.#span.setAttribute(Attribute.ATTEMPTS, attempts);
      if (this.#isStream) this.#span.setAttribute(Attribute.ITEMS, chunks);
      if (error !== undefined) recordFailure(this.#span, error);
      this.#span.end();
    });
  }
}

/** A caller that leaves is no failure of the call. */
export function recordFailure(span: Span, error: SnakepitError): void {
  const { code, delivery, message, remote } = error;
  span.setAttribute(Attribute.ERROR, code);
  span.setAttribute(Attribute.DELIVERY, delivery);
  if (code === 'CANCELLED') return;
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.addEvent('exception', {
    'exception.type': remote?.type ?? code,
    'exception.message': remote?.message ?? message,
    ...(remote?.traceback !== undefined && { 'exception.stacktrace': remote.traceback }),
  });
}

/** What an exporter or a processor throws must not reach the call. */
export function harmless(task: () => void): void {
  try {
    task();
  } catch (error) {
    diag.error('snakepit: a span could not be recorded', error);
  }
}
