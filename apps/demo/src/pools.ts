import { node, python, type ManyPoolsOptions } from 'nestjs-snakepit';

import { NODE_WORKER, PYTHON_WORKER } from './paths.js';
import { requestContext } from './pseudonyms/request-context.js';
import type { Settings } from './settings.js';

/**
 * Followers of log files hold a worker for as long as their client stays: they have a pool of their own, and waiting for one to
 * leave makes no sense.
 */
export const LOGS_POOL = 'logs';
export const NODE_POOL = 'node';
/** Has no commands of its own: what it does, the application calls out of Python's libraries. */
export const LIBRARIES_POOL = 'libraries';

const HOUR_MS = 3_600_000;

type PoolSettings = Pick<Settings, 'DEMO_WORKERS' | 'SNAKEPIT_TRANSPORT'>;

export function poolOptions({ DEMO_WORKERS: size, SNAKEPIT_TRANSPORT: transport }: PoolSettings): ManyPoolsOptions {
  // Python finds the packages that gRPC needs where PYTHONPATH says, if they are not installed.
  const commands = { adapter: python({ module: PYTHON_WORKER, transport }), inheritEnv: ['PYTHONPATH'] };
  return {
    context: requestContext,
    pools: {
      default: { ...commands, size, queueTimeoutMs: 30_000, streamTimeoutMs: HOUR_MS },
      [LOGS_POOL]: { ...commands, size: 2, queueTimeoutMs: 250 },
      [LIBRARIES_POOL]: {
        adapter: python({ enhanced: { allow: ['statistics'], maxObjects: 10 }, transport }),
        size: 1,
        inheritEnv: ['PYTHONPATH'],
      },
      [NODE_POOL]: { adapter: node({ module: NODE_WORKER, transport }), size: 2 },
    },
  };
}
