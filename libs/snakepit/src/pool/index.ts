export { poolOptionTable, type PoolOptions, type ResolvedPoolOptions } from './options.js';
export { NO_OPTIONS, type CallOptions } from './call-options.js';
export type { CallListener } from './pool-call.js';
export type { PoolMemory, PoolStats, PoolStatus, ProcessMemoryInfo, WorkerInfo, WorkerUsage } from './pool-stats.js';
export type { SessionAffinity } from './seats.js';
export { Pool, type HostCallHandler, type HostRequest, type PoolParts, type StreamHandle } from './pool.js';
export { PRIORITIES, type Priority } from './wait-queue.js';
