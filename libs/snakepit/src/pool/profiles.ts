import type { PoolOptions, PoolProfile } from './options.js';

/** Options that a profile has a default of its own for. */
type ProfileDefaults = Partial<
  Pick<
    PoolOptions,
    | 'timeoutMs'
    | 'streamTimeoutMs'
    | 'queueTimeoutMs'
    | 'maxQueue'
    | 'startTimeoutMs'
    | 'cancelGraceMs'
    | 'drainTimeoutMs'
    | 'heartbeatTimeoutMs'
    | 'watch'
  >
>;

const MINUTE = 60_000;

/** Defaults for kinds of work, by name; what a pool's options say goes before them. */
export const POOL_PROFILES = {
  balanced: {},
  'production-strict': {
    timeoutMs: 15_000,
    streamTimeoutMs: MINUTE,
    queueTimeoutMs: 1_000,
    maxQueue: 500,
    cancelGraceMs: 500,
    heartbeatTimeoutMs: 5_000,
  },
  development: {
    timeoutMs: 15 * MINUTE,
    streamTimeoutMs: 60 * MINUTE,
    queueTimeoutMs: 5 * MINUTE,
    startTimeoutMs: 2 * MINUTE,
    cancelGraceMs: 30_000,
    drainTimeoutMs: 1_000,
    heartbeatTimeoutMs: 15 * MINUTE,
    watch: true,
  },
  'ml-inference': {
    timeoutMs: 2 * MINUTE,
    streamTimeoutMs: 15 * MINUTE,
    queueTimeoutMs: 30_000,
    startTimeoutMs: 5 * MINUTE,
    cancelGraceMs: 10_000,
    drainTimeoutMs: 30_000,
    heartbeatTimeoutMs: MINUTE,
  },
  batch: {
    timeoutMs: 60 * MINUTE,
    streamTimeoutMs: 24 * 60 * MINUTE,
    queueTimeoutMs: 60 * MINUTE,
    maxQueue: 100_000,
    startTimeoutMs: 5 * MINUTE,
    cancelGraceMs: MINUTE,
    drainTimeoutMs: 5 * MINUTE,
    heartbeatTimeoutMs: 2 * MINUTE,
  },
} as const satisfies Readonly<Record<PoolProfile, ProfileDefaults>>;
