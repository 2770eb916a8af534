import type { ErrorCode } from './errors.js';

/** Counts the calls of one command in one pool. It is told of every call, so it must allocate nothing. */
export interface CallMeter {
  /** Items of streams that have reached their consumers. */
  chunks: number;
  /** A worker is through with a call that its command ran for so long, whoever still waits for the outcome. */
  onServed(serviceUs: number): void;
  /** A call has its result; both times are in milliseconds, since it was admitted. */
  onSucceeded(queuedMs: number, durationMs: number): void;
  onFailed(code: ErrorCode, queuedMs: number, durationMs: number): void;
}

/** Where a pool gets its meters, and where what its workers measure goes. */
export interface CallMeters {
  /** To be asked once for each command. */
  meterOf(pool: string, kind: 'call' | 'stream', command: string): CallMeter;
  /** `data` is as the worker sent it. */
  onWorkerMetrics(pool: string, worker: string, data: unknown): void;
}
