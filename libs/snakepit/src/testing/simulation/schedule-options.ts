import { resolveOptions } from '../../core/index.js';
import { poolOptionTable, type PoolOptions, type ResolvedPoolOptions } from '../../pool/options.js';
import type { Adapter } from '../../worker/index.js';
import { Random } from './random.js';
import { STREAM_CREDIT } from './scripted-worker.js';

const adapter: Adapter = {
  name: 'scripted',
  prepare: () =>
    Promise.resolve({ language: 'script', executable: 'scripted', args: [], env: {}, protocol: 'v2', codec: 'auto' }),
};

/** The longest time for which a command stays refused that no longer kills workers. */
export const MAX_PROBE_AFTER_MS = 80;

/** The longest time for which workers must have been enough before an autoscaled pool shrinks. */
const MAX_DOWN_AFTER_MS = 300;

/** A pool's options, drawn so that every limit is met within a short schedule. */
export function drawOptions(seed: number): ResolvedPoolOptions {
  const random = Random.of(seed, 'options');
  return resolveOptions(poolOptionTable, {
    adapter,
    ...drawSize(Random.of(seed, 'size')),
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
    recycle: drawRecycling(Random.of(seed, 'recycling')),
    taint: drawTaint(Random.of(seed, 'taint')),
    arena: { enabled: false },
    streamCredit: STREAM_CREDIT,
    maxDepth: 16,
    maxFrameBytes: 65_536,
  });
}

function drawSize(random: Random): Pick<PoolOptions, 'size' | 'autoscale'> {
  if (random.chance(0.75)) return { size: random.integer(1, 4) };
  const min = random.integer(1, 3);
  return {
    autoscale: {
      min,
      max: min + random.integer(0, 3),
      queueWaitMs: random.pick([0, 10, 50]),
      utilizationPercent: random.pick([20, 80, 100]),
      downAfterMs: random.pick([0, 50, MAX_DOWN_AFTER_MS]),
      checkIntervalMs: random.pick([10, 40]),
    },
  };
}

/** Off in most schedules: workers that leave for other reasons should not be the exception. */
function drawRecycling(random: Random): PoolOptions['recycle'] {
  const isOn = random.chance(0.4);
  return {
    maxCalls: isOn ? random.pick([0, 1, 5, 20]) : 0,
    ttlMs: isOn ? random.pick([0, 60, 300]) : 0,
    idleMs: isOn ? random.pick([0, 40]) : 0,
    // Every worker's own limit would be drawn by Math.random, which no seed repeats.
    jitterPercent: 0,
    maxUnavailable: random.integer(1, 3),
    checkIntervalMs: random.pick([10, 50]),
  };
}

function drawTaint(random: Random): PoolOptions['taint'] {
  return {
    enabled: random.chance(0.7),
    deaths: random.integer(1, 3),
    windowMs: random.pick([50, 400]),
    probeAfterMs: 10,
    maxProbeAfterMs: MAX_PROBE_AFTER_MS,
  };
}
