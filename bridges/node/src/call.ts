import type { Readable } from 'node:stream';
import { CancelReason, METRICS_EVENT, type CallMeta, type LogBody } from 'nestjs-snakepit/codec';

import type { Context, DataMap, Pattern, Session, Tools, WorkerLog } from './context.js';
import { HostInput } from './host-input.js';
import { RemoteMap, RemoteSession, type AskHost } from './data-map.js';
import { CallFailure } from './failures.js';
import { sendMessage } from './host-messages.js';
import { hostTools } from './host-tools.js';
import type { Command } from './load-commands.js';
import { CallMetrics, checkEventName, type WorkerMetrics } from './metrics.js';
import type { SpanAttributes } from './span-attributes.js';
import { NO_SPAN, traceOf, type CallTrace, type Span } from './spans.js';

/** What a call can send to the host besides its result. */
export interface Uplink {
  progress(call: Call, value: unknown): void;
  /** `call` is undefined where a record belongs to none. */
  log(call: Call | undefined, record: LogBody): void;
  emit(call: Call, name: string, data: unknown): void;
  ask(call: Call, method: string, args: Readonly<Record<string, unknown>>): Promise<unknown>;
}

export interface CallInput {
  readonly callId: number;
  readonly definition: Command;
  readonly args: unknown;
  readonly meta: CallMeta;
  /** On the scale of `performance.now()`; Infinity without a deadline. */
  readonly deadlineAt: number;
  readonly wantsStream: boolean;
  readonly credit: number;
}

const NO_CONTEXT = Object.freeze({});

type SpanBody<Result> = (span: Span) => Result;
type SpanArguments<Result> = [SpanBody<Result>] | [SpanAttributes, SpanBody<Result>];

/** One call from its arrival to its end, and the context that its command sees. */
export class Call implements Context {
  readonly callId: number;
  readonly definition: Command;
  readonly args: unknown;
  readonly meta: CallMeta;
  readonly deadlineAt: number;
  readonly wantsStream: boolean;
  /** Chunks that may still be sent. */
  credit: number;
  /** On the scale of `performance.now()`; 0 before the command began. */
  startedAt = 0;
  /** 0 until the call is cancelled. */
  cancelReason: CancelReason | 0 = 0;
  /** Set when the last frame for the call was written. */
  hasEnded = false;
  /** Wakes a stream that waits for credit, and closes its iterator when the call is cancelled. */
  onCredit: (() => void) | undefined;
  onCancel: (() => void) | undefined;
  readonly uplink: Uplink;
  /** Set while a call that is sampled runs. */
  callTrace: CallTrace | undefined;
  #controller: AbortController | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;
  /** Set by the timer, which may fire a fraction of a millisecond before the clock says so. */
  #isDeadlineUp = false;
  #session: Session | undefined;
  #tools: Tools | undefined;
  #input: HostInput | undefined;
  #metrics: CallMetrics | undefined;

  constructor(input: CallInput, uplink: Uplink) {
    this.callId = input.callId;
    this.definition = input.definition;
    this.args = input.args;
    this.meta = input.meta;
    this.deadlineAt = input.deadlineAt;
    this.wantsStream = input.wantsStream;
    this.credit = input.credit;
    this.uplink = uplink;
  }

  get command(): string {
    return this.definition.manifest.name;
  }

  get session(): Session {
    return (this.#session ??= new RemoteSession(this.meta.session, this.#ask));
  }

  get input(): Readable {
    return (this.#input ??= new HostInput(this.#ask));
  }

  get globals(): DataMap {
    return new RemoteMap('globals', this.#ask);
  }

  get tools(): Tools {
    return (this.#tools ??= hostTools(this.#ask));
  }

  get deadlineMs(): number | undefined {
    return this.deadlineAt === Infinity ? undefined : Math.max(0, this.deadlineAt - performance.now());
  }

  get isPastDeadline(): boolean {
    return this.#isDeadlineUp || performance.now() >= this.deadlineAt;
  }

  get cancelled(): boolean {
    return this.cancelReason !== 0 || this.isPastDeadline;
  }

  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal;
    this.#controller = new AbortController();
    if (this.cancelled) this.#controller.abort(this.#abortReason());
    else if (this.deadlineAt !== Infinity && !this.hasEnded) this.#armDeadline();
    return this.#controller.signal;
  }

  get log(): WorkerLog {
    const at =
      (level: LogBody['level']) =>
      (message: string, fields?: Readonly<Record<string, unknown>>): void =>
        this.uplink.log(this, { level, message, ...(fields && { fields }) });
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), fatal: at('fatal') };
  }

  get trace(): CallMeta['trace'] {
    return this.meta.trace;
  }

  get context(): Readonly<Record<string, string>> {
    return this.meta.context ?? NO_CONTEXT;
  }

  progress(value: unknown): void {
    this.uplink.progress(this, value);
  }

  get metrics(): WorkerMetrics {
    return (this.#metrics ??= new CallMetrics((entries) => this.uplink.emit(this, METRICS_EVENT, entries)));
  }

  /** To be called before the answer is sent. */
  flushMetrics(): void {
    this.#metrics?.flush();
  }

  emit(name: Pattern, data: unknown = null): void {
    if (typeof name === 'string') checkEventName(name);
    // The host reads a map from JSON.
    this.uplink.emit(this, typeof name === 'string' ? name : JSON.stringify(name), data);
  }

  send<Result = unknown>(pattern: Pattern, data: unknown = null): Promise<Result> {
    return sendMessage(this.#ask, pattern, data) as Promise<Result>;
  }

  span<Result>(name: string, ...rest: SpanArguments<Result>): Result {
    const [attributes, body] = rest.length === 1 ? [{}, rest[0]] : rest;
    return this.callTrace === undefined ? body(NO_SPAN) : this.callTrace.run(name, attributes, body);
  }

  get traceparent(): string | undefined {
    return this.callTrace === undefined ? this.meta.trace?.traceparent : this.callTrace.current.traceparent;
  }

  /** The command begins: from here on its spans are recorded, if it is sampled. */
  beginTrace(): void {
    if (this.meta.trace === undefined) return;
    this.callTrace = traceOf(this.command, this.meta.trace, (name, batch) => this.uplink.emit(this, name, batch));
  }

  cancel(reason: CancelReason): void {
    if (this.cancelReason !== 0) return;
    this.cancelReason = reason;
    this.#controller?.abort(this.#abortReason());
    this.onCancel?.();
  }

  end(): void {
    this.hasEnded = true;
    if (this.#deadlineTimer !== undefined) clearTimeout(this.#deadlineTimer);
    if (this.#input !== undefined) this.#input.destroy();
  }

  readonly #ask: AskHost = (method, args) => this.uplink.ask(this, method, args);

  #armDeadline(): void {
    const abort = (): void => {
      this.#isDeadlineUp = true;
      this.#controller?.abort(this.#abortReason());
    };
    this.#deadlineTimer = setTimeout(abort, Math.ceil(this.deadlineAt - performance.now()));
  }

  #abortReason(): Error {
    const isLate = this.cancelReason === CancelReason.DEADLINE || this.cancelReason === 0;
    return new DOMException(isLate ? 'The deadline of the call passed' : 'The caller left', 'AbortError');
  }
}

/**
 * Calls the command: a map is its first argument, the items of a list are its first ones, null is an empty map, and
 * the call's context comes last.
 */
export function invoke(call: Call): unknown {
  const { args, definition } = call;
  const { handler } = definition;
  if (!Array.isArray(args)) return handler(args ?? {}, call);
  // The context may or may not be among the parameters that a function declares.
  if (args.length < handler.length - 1) {
    const problem = `'${call.command}' takes ${handler.length - 1} positional arguments or more, got ${args.length}`;
    throw new CallFailure('INVALID_ARGUMENTS', problem);
  }
  return handler(...(args as unknown[]), call);
}
