import type { Readable } from 'node:stream';
import type { CallMeta, LogBody } from 'nestjs-snakepit/codec';

import type { WorkerMetrics } from './metrics.js';
import type { SpanAttributes } from './span-attributes.js';
import type { Span } from './spans.js';

/** One map of data that the host keeps: it outlives the worker. */
export interface DataMap {
  /** The value under `key`, or undefined when there is none. */
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  /** Whether there was such a key. */
  delete(key: string): Promise<boolean>;
  keys(): Promise<string[]>;
  /**
   * Replaces a value by what `change` makes of it, and does so again if somebody else wrote in between; so `change`
   * may run more than once. Returns the value written.
   */
  update<Value>(key: string, change: (value: unknown) => Value | Promise<Value>): Promise<Value>;
}

/** The session of a call: a map of metadata, and one of stored programs. */
export interface Session extends DataMap {
  /** Undefined when the call belongs to no session; every access is then refused. */
  readonly id: string | undefined;
  readonly programs: DataMap;
}

/**
 * The host's tools: `await ctx.tools.priceOf({ sku })`, or `await ctx.tools.call('price.of', { sku })`. Each takes one value and rejects with
 * a {@link ToolError}.
 */
export type Tools = {
  /** Calls a tool by a name that is no property's, such as one with a dot in it. */
  call<Result = unknown>(name: string, args?: unknown): Promise<Result>;
  // What the host offers is not known here; `any` is what lets a command say what it expects.
  // oxlint-disable-next-line typescript/no-explicit-any
} & { readonly [name: string]: (args?: unknown) => Promise<any> };

/** What tells messages and events apart: a name, or a map as some handlers have it. */
export type Pattern = string | Readonly<Record<string, unknown>>;

type LogLine = (message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** Writes to the host's log. */
export type WorkerLog = Readonly<Record<LogBody['level'], LogLine>>;

/** What a command knows about its call; handed over as the last argument. */
export interface Context {
  readonly callId: number;
  readonly command: string;
  readonly session: Session;
  /**
   * What the caller sends while the command runs: a stream of bytes, to be read once. Reading fails with a HostError: of code
   * INVALID_ARGUMENTS where the call has no input, CANCELLED where whoever sends it has left, INPUT_FAILED where its source broke.
   */
  readonly input: Readable;
  /** A map shared by all sessions and pools of the host. */
  readonly globals: DataMap;
  /** Functions of the host. */
  readonly tools: Tools;
  /** Milliseconds left, never below 0; undefined without a deadline. */
  readonly deadlineMs: number | undefined;
  /** Aborts when the caller cancels and when the deadline passes. */
  readonly signal: AbortSignal;
  /** Whether the result is no longer wanted; cheap enough to ask in a loop. */
  readonly cancelled: boolean;
  readonly log: WorkerLog;
  /** Tells the caller how far the command is; any value. */
  progress(value: unknown): void;
  /** Measures for the host's Prometheus; what is measured leaves before the call's answer at the latest. */
  readonly metrics: WorkerMetrics;
  /** Publishes an event: to the application's telemetry, and to its handlers of `@EventPattern(name)`. Names that begin with `snakepit.` are taken. */
  emit(name: Pattern, data?: unknown): void;
  /**
   * Sends a message to the application's handler of `@MessagePattern(pattern)`. Resolves with its answer, and rejects with a
   * {@link MessageError} for what the handler threw, or where there is none.
   */
  send<Result = unknown>(pattern: Pattern, data?: unknown): Promise<Result>;
  /**
   * Runs `body` in a span of the call's trace, and returns what it returns; the span ends when that has settled, and records what was thrown. Costs
   * little when the call is not sampled.
   *
   * @example
   * const rows = await ctx.span('load', { table: 'users' }, async (span) => { … span.set({ rows: 3 }) … });
   */
  span<Result>(name: string, body: (span: Span) => Result): Result;
  span<Result>(name: string, attributes: SpanAttributes, body: (span: Span) => Result): Result;
  /** The current span as the value of a header `traceparent`, or the caller's if nothing is recorded; undefined without a trace. */
  readonly traceparent: string | undefined;
  /** W3C trace context of the caller, when it sent one. */
  readonly trace: CallMeta['trace'];
  /** Context values that the application sends along. */
  readonly context: Readonly<Record<string, string>>;
}
