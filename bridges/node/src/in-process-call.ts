import type { ErrorBody } from 'nestjs-snakepit/codec';

import type { CallInput } from './call.js';
import { FrameCall, type FrameLink } from './frame-call.js';

/** Hears how the calls of a worker go. */
export interface CallObserver {
  onItem(call: InProcessCall, value: unknown): void;
  onResult(call: InProcessCall, value: unknown): void;
  onEnd(call: InProcessCall): void;
  onError(call: InProcessCall, error: ErrorBody): void;
}

export interface InProcessCallParts {
  readonly clock: { now(): number };
  readonly observer: CallObserver;
  /** What its context has as `worker`. */
  readonly worker: unknown;
}

/** A call in a worker that lives in its host's process: time is that of the host, whose word alone ends it. */
export class InProcessCall extends FrameCall {
  readonly worker: unknown;
  readonly #clock: InProcessCallParts['clock'];
  readonly #observer: CallObserver;
  /** On the scale of the host's clock. */
  readonly #dueAt: number;

  constructor(input: CallInput, link: FrameLink, { clock, observer, worker }: InProcessCallParts) {
    super({ ...input, deadlineAt: Infinity }, link);
    this.worker = worker;
    this.#clock = clock;
    this.#observer = observer;
    this.#dueAt = clock.now() + Math.round(input.deadlineAt - performance.now());
  }

  override get deadlineMs(): number | undefined {
    return this.#dueAt === Infinity ? undefined : Math.max(0, this.#dueAt - this.#clock.now());
  }

  override get isPastDeadline(): boolean {
    return this.#clock.now() >= this.#dueAt;
  }

  override sendResult(value: unknown): void {
    super.sendResult(value);
    // Of a stream it was the one item.
    if (!this.wantsStream) this.#observer.onResult(this, value);
  }

  override sendChunk(value: unknown): void {
    super.sendChunk(value);
    this.#observer.onItem(this, value);
  }

  override sendEnd(): void {
    super.sendEnd();
    this.#observer.onEnd(this);
  }

  override sendError(error: ErrorBody): void {
    super.sendError(error);
    this.#observer.onError(this, error);
  }
}
