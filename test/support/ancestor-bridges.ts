import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  custom,
  type CustomOptions,
  type PoolOptions,
  type PoolService,
  type ProcessAdapter,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { afterEach, inject } from 'vitest';

const pathOf = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** What Python needs to serve gRPC. */
export const grpcEnv = () => ({ PYTHONPATH: [pathOf('bridges/python'), inject('pythonPackages')].join(delimiter) });

export const BRIDGE_SCRIPT = pathOf('test/fixtures/integration/ancestor_grpc_bridge.py');

/** A gRPC bridge in the manner of the ancestor's: plain grpcio. */
export function bridge(args: readonly string[] = [], more: Partial<CustomOptions> = {}): ProcessAdapter {
  return custom({
    executable: 'python3',
    script: BRIDGE_SCRIPT,
    args: [...args],
    env: grpcEnv(),
    protocol: 'v1',
    transport: 'grpc',
    ...more,
  });
}

/** One worker, which is soon back where it is lost. */
export function startPool(options: PoolOptions): Promise<Snakepit> {
  const restart = { initialDelayMs: 10, maxDelayMs: 100, budget: 1_000 };
  return createSnakepit({ size: 1, restart, killGraceMs: 1_000, ...options });
}

export interface Pools {
  start(options: PoolOptions): Promise<PoolService>;
  /** Closes the pool that was started last. */
  closeLast(): Promise<void>;
}

/** Pools of one test each. */
export function usePools(): Pools {
  const open: Snakepit[] = [];
  afterEach(() => Promise.all(open.splice(0).map((snakepit) => snakepit.close())));
  return {
    async start(options) {
      const snakepit = await startPool(options);
      open.push(snakepit);
      return snakepit.pool();
    },
    closeLast: async () => open.pop()?.close(),
  };
}
