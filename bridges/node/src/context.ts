import type { CallMeta, LogBody } from 'nestjs-snakepit/codec';

import type { WorkerMetrics } from './metrics.js';

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

type LogLine = (message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** Writes to the host's log. */
export type WorkerLog = Readonly<Record<LogBody['level'], LogLine>>;

/** What a command knows about its call; handed over as the last argument. */
export interface Context {
  readonly callId: number;
  readonly command: string;
  readonly session: Session;
  /** A map shared by all sessions and pools of the host. */
  readonly globals: DataMap;
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
  /** Publishes an event of the application's own telemetry; names that begin with `snakepit.` are refused. */
  emit(name: string, data?: unknown): void;
  /** W3C trace context of the caller, when it sent one. */
  readonly trace: CallMeta['trace'];
  /** Context values that the application sends along. */
  readonly context: Readonly<Record<string, string>>;
}
