/** Names of what spans carry; those without `snakepit` are OpenTelemetry's semantic conventions. */
export const Attribute = {
  SYSTEM: 'rpc.system',
  /** The command, or what a worker asks its host for. */
  METHOD: 'rpc.method',
  /** Code of a SnakepitError. */
  ERROR: 'error.type',
  POOL: 'snakepit.pool',
  WORKER: 'snakepit.worker',
  /** `call` or `stream`. */
  KIND: 'snakepit.kind',
  SESSION: 'snakepit.session',
  /** From the call to when a worker got it. */
  QUEUE_MS: 'snakepit.queue_ms',
  /** How long the command ran, as the worker measured it; protocol v2 on a descriptor counts to 65.535 ms. */
  SERVICE_MS: 'snakepit.service_ms',
  /** Workers that got the call; absent for one. */
  ATTEMPTS: 'snakepit.attempts',
  /** Items of a stream that arrived. */
  ITEMS: 'snakepit.items',
  /** Of a call that failed: `not-started`, `may-have-run` or `ran`. */
  DELIVERY: 'snakepit.delivery',
  /** Spans of a call that the worker left out because they were too many. */
  DROPPED: 'snakepit.dropped_spans',
} as const;

export const SYSTEM = 'snakepit';
