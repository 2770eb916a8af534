import { resolveOptions } from '../../core/index.js';
import { poolOptionTable, type ResolvedPoolOptions } from '../../pool/options.js';
import type { Adapter } from '../../worker/index.js';
import type { Random } from './random.js';

const adapter: Adapter = {
  name: 'scripted',
  prepare: () =>
    Promise.resolve({ language: 'script', executable: 'scripted', args: [], env: {}, protocol: 'v2', codec: 'auto' }),
};

/** The longest time for which a command stays refused that no longer kills workers. */
export const MAX_PROBE_AFTER_MS = 80;

/** A pool's options, drawn so that every limit is met within a short schedule. */
export function drawOptions(random: Random): ResolvedPoolOptions & { readonly size: number } {
  const size = random.integer(1, 4);
  const options = resolveOptions(poolOptionTable, {
    adapter,
    size,
    timeoutMs: random.pick([30, 200, 1_000]),
    streamTimeoutMs: random.pick([100, 500]),
    queueTimeoutMs: random.pick([10, 60, 300, 2_000]),
    maxQueue: random.pick([0, 1, 4, 20, 100]),
    window: random.pick([1, 2, 4, 64]),
    pipelineBudgetUs: random.pick([0, 200, 2_000]),
    concurrency: random.pick([1, 1, 2, 4]),
    affinity: random.pick(['hint', 'strict-queue', 'strict-fail-fast']),
    maxAttempts: random.integer(1, 4),
    startTimeoutMs: random.pick([30, 100]),
    cancelGraceMs: random.pick([0, 20, 100]),
    killGraceMs: random.pick([0, 10, 50]),
    drainTimeoutMs: random.pick([0, 50, 400]),
    heartbeatIntervalMs: 40,
    heartbeatTimeoutMs: 120,
    restart: {
      initialDelayMs: random.pick([1, 10]),
      maxDelayMs: 80,
      windowMs: random.pick([50, 400]),
      budget: random.pick([2, 5, 50]),
    },
    taint: {
      enabled: random.chance(0.7),
      deaths: random.integer(1, 3),
      windowMs: random.pick([50, 400]),
      probeAfterMs: 10,
      maxProbeAfterMs: MAX_PROBE_AFTER_MS,
    },
    arena: { enabled: false },
    streamCredit: 4,
    maxDepth: 16,
    maxFrameBytes: 65_536,
  });
  return { ...options, size };
}
