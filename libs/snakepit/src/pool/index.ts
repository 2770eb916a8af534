export { poolOptionTable, type PoolOptions, type ResolvedPoolOptions } from './options.js';
export type { CallOptions } from './call-options.js';
export type { CallListener } from './pool-call.js';
export type { PoolStats, PoolStatus, WorkerInfo } from './pool-stats.js';
export type { SessionAffinity } from './dispatcher.js';
export { Pool, type HostCallHandler, type PoolParts, type StreamHandle } from './pool.js';
export { PRIORITIES, type Priority } from './wait-queue.js';
