import { publish, type SnakepitError } from '../core/index.js';
import type { CallOutcome } from './call-watcher.js';
import type { PoolCall } from './pool-call.js';

/** Tells those who listen that a call ended; to be asked for only when somebody does. */
export function publishCall(pool: string, call: PoolCall, nowMs: number, error: SnakepitError | undefined): void {
  const { workerId: worker, command, kind, session, admittedAt, startedAt, batchSize } = call;
  publish('snakepit:call', {
    pool,
    worker,
    command,
    kind,
    session,
    durationMs: nowMs - admittedAt,
    queuedMs: (startedAt ?? nowMs) - admittedAt,
    batchSize,
    error: error?.code,
  });
}

/** How a call ended, for who watches it. */
export function outcomeOf(call: PoolCall, nowMs: number, error: SnakepitError | undefined): CallOutcome {
  const { workerId: worker, admittedAt, startedAt, attempts, chunks } = call;
  return { worker, queuedMs: (startedAt ?? nowMs) - admittedAt, attempts, chunks, error };
}
