import { node, python, type ManyPoolsOptions } from 'nestjs-snakepit';

import { NODE_WORKER, PYTHON_WORKER } from './paths.js';

/**
 * Followers of log files hold a worker for as long as their client stays: they have a pool of their own, and waiting for one to
 * leave makes no sense.
 */
export const LOGS_POOL = 'logs';
export const NODE_POOL = 'node';

const HOUR_MS = 3_600_000;

export function poolOptions(pythonWorkers: number): ManyPoolsOptions {
  const adapter = python({ module: PYTHON_WORKER });
  return {
    pools: {
      default: { adapter, size: pythonWorkers, queueTimeoutMs: 30_000, streamTimeoutMs: HOUR_MS },
      [LOGS_POOL]: { adapter, size: 2, queueTimeoutMs: 250 },
      [NODE_POOL]: { adapter: node({ module: NODE_WORKER }), size: 2 },
    },
  };
}
