import { EncodeError, type CancelReason, type ErrorBody } from 'nestjs-snakepit/codec';

import { BatchAnswer, invokeHandler } from './batch-call.js';
import { runAsync, runNow } from './current-call.js';
import { errorBodyOf, FrameTooLarge, unsendable } from './failures.js';
import type { HostedCall, HostLink } from './hosted-call.js';
import { runStream, type StreamSink } from './stream-run.js';

/** How long commands run before sockets, timers and streams have their turn. */
const TURN_MS = 1;

/** A command that took longer than this makes replies that wait leave before it runs again. */
const SLOW_MS = 0.1;

/** A cancelled command that has not ended by then is answered for: JavaScript cannot be stopped from outside. */
const CANCEL_GRACE_MS = 50;

/** Replies on their way out, of all hosts. */
export interface Outgoing {
  /** Sends what waits; false when that takes a turn of the event loop. */
  flush(): boolean;
  /** Sends what has waited too long; called between calls. */
  flushIfLate(now: number): void;
}

/** Runs the calls of all hosts of this process in the order of their arrival. */
export class CallRunner implements StreamSink<HostedCall> {
  /** Calls that arrived and have not begun, in order; those before `#next` have. */
  #queue: HostedCall[] = [];
  #next = 0;
  #isDraining = false;
  /** Calls that began and have not ended, the synchronous one that runs right now excepted. */
  #running = 0;
  /** Set once no more calls will come. */
  #onIdle: (() => void) | undefined;
  /** A command has the thread. */
  isInCommand = false;

  constructor(private readonly outgoing: Outgoing) {}

  add(call: HostedCall): void {
    this.#queue.push(call);
  }

  /** Begins the calls that arrived. */
  startCalls(): void {
    if (!this.#isDraining) this.#drain();
  }

  /** A call that was added and has not begun. */
  findWaiting(link: HostLink, id: number): HostedCall | undefined {
    return this.#queue.find((call, index) => index >= this.#next && call.callId === id && call.uplink === link);
  }

  /** One that has not begun is answered for in its turn. */
  cancel(call: HostedCall, reason: CancelReason): void {
    call.cancel(reason);
    if (!call.uplink.running.has(call.callId)) return;
    setTimeout(() => {
      if (!call.hasEnded) this.#endWithError(call, cancelled(true));
    }, CANCEL_GRACE_MS);
  }

  credit(call: HostedCall, chunks: number): void {
    call.credit += chunks;
    call.onCredit?.();
  }

  /** What arrived and has not begun never will. */
  forgetWaiting(): void {
    this.#queue = [];
    this.#next = 0;
  }

  /** Tells once when no call is left; to be called when no more will be added. */
  whenIdle(onIdle: () => void): void {
    this.#onIdle = onIdle;
    this.#tellIfIdle();
  }

  // --- running -----------------------------------------------------------------------------------

  readonly #drain = (): void => {
    this.#isDraining = false;
    const startedAt = performance.now();
    let now = startedAt;
    while (this.#next < this.#queue.length) {
      const call = this.#queue[this.#next]!;
      const isTurnOver = now - startedAt > TURN_MS;
      if ((isTurnOver || call.definition.isSlow) && !this.outgoing.flush()) return this.#yield();
      // What came meanwhile may cancel what waits here.
      if (isTurnOver) return this.#yield();
      this.#next += 1;
      this.#begin(call, now);
      const then = now;
      now = performance.now();
      call.definition.isSlow = now - then > SLOW_MS;
      this.outgoing.flushIfLate(now);
    }
    this.#queue = [];
    this.#next = 0;
    this.#tellIfIdle();
  };

  #yield(): void {
    this.#queue = this.#queue.slice(this.#next);
    this.#next = 0;
    this.#isDraining = true;
    // One would run before the sockets are read again.
    setImmediate(() => setImmediate(this.#drain));
  }

  #begin(call: HostedCall, now: number): void {
    if (call.cancelReason !== 0) return this.#endWithError(call, cancelled(false));
    if (now >= call.deadlineAt) {
      const message = 'the deadline passed before the command began';
      return this.#endWithError(call, { code: 'CALL_TIMEOUT', message, started: false });
    }
    if (call.definition.manifest.kind === 'stream' && !call.wantsStream) {
      const message = `'${call.command}' is a stream; call it as one`;
      return this.#endWithError(call, { code: 'INVALID_ARGUMENTS', message });
    }
    call.startedAt = now;
    const opening = call.meta.session === undefined ? undefined : call.uplink.sessions?.enter(call.session);
    if (opening === undefined) return this.#run(call);
    this.#goesOn(call);
    opening.then(
      () => this.#run(call),
      (error: unknown) => this.fail(call, error),
    );
  }

  #run(call: HostedCall): void {
    if (call.hasEnded) return;
    call.beginTrace();
    if (call.definition.manifest.kind === 'stream') {
      this.#goesOn(call);
      void runAsync(call, () => runStream(call, this));
      return;
    }
    let result: unknown;
    this.isInCommand = true;
    try {
      result = call.definition.isAsync ? runAsync(call, invokeHandler) : runNow(call, invokeHandler);
    } catch (error) {
      this.fail(call, error);
      return;
    } finally {
      this.isInCommand = false;
    }
    if (!isThenable(result)) return this.#succeed(call, result);
    this.#goesOn(call);
    result.then(
      (value) => this.#succeed(call, value),
      (error: unknown) => this.fail(call, error),
    );
  }

  #goesOn(call: HostedCall): void {
    const { running } = call.uplink;
    if (running.has(call.callId)) return;
    running.set(call.callId, call);
    this.#running += 1;
  }

  // --- ending ------------------------------------------------------------------------------------

  #succeed(call: HostedCall, value: unknown): void {
    if (call.hasEnded) return;
    call.callTrace?.end();
    try {
      call.flushMetrics();
      if (value instanceof BatchAnswer) sendAnswer(call, value);
      else call.sendResult(value === undefined ? null : value);
      this.#ended(call);
    } catch (error) {
      this.#endWithError(call, unsendable(error));
    }
  }

  chunk(call: HostedCall, value: unknown): void {
    if (!call.hasEnded) call.sendChunk(value);
  }

  end(call: HostedCall): void {
    if (call.hasEnded) return;
    call.callTrace?.end();
    call.flushMetrics();
    call.sendEnd();
    this.#ended(call);
  }

  closed(call: HostedCall): void {
    if (!call.hasEnded) this.#endWithError(call, cancelled(true));
  }

  fail(call: HostedCall, thrown: unknown): void {
    if (call.hasEnded) return;
    if (call.cancelReason !== 0) return this.#endWithError(call, cancelled(true));
    if (thrown instanceof EncodeError || thrown instanceof FrameTooLarge) {
      return this.#endWithError(call, unsendable(thrown));
    }
    const isLate = call.isPastDeadline && (thrown as { name?: unknown } | null | undefined)?.name === 'AbortError';
    if (isLate) {
      return this.#endWithError(call, { code: 'CALL_TIMEOUT', message: 'stopped at its deadline', started: true });
    }
    return this.#endWithError(call, errorBodyOf(thrown));
  }

  #endWithError(call: HostedCall, error: ErrorBody): void {
    call.callTrace?.end(error);
    call.flushMetrics();
    call.sendError(error);
    this.#ended(call);
  }

  #ended(call: HostedCall): void {
    call.end();
    if (call.uplink.running.delete(call.callId)) this.#running -= 1;
    if (this.#onIdle !== undefined) this.#tellIfIdle();
  }

  #tellIfIdle(): void {
    if (this.#onIdle === undefined || this.#running > 0 || this.#next < this.#queue.length) return;
    const onIdle = this.#onIdle;
    this.#onIdle = undefined;
    onIdle();
  }
}

/** What a cancelled call is answered by. */
export function cancelled(started: boolean): ErrorBody {
  return { code: 'CANCELLED', message: started ? 'the call was cancelled' : 'cancelled before it began', started };
}

/** A result of a batch that cannot be sent is the affair of its own caller. */
function sendAnswer(call: HostedCall, answer: BatchAnswer): void {
  try {
    call.sendResult(answer.toWire());
  } catch {
    const sendable = answer.withoutUnsendable((value) => call.measure(value), call.maxFrameBytes);
    call.sendResult(sendable.toWire());
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
