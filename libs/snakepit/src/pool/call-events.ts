import { publish, type SnakepitError } from '../core/index.js';
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
