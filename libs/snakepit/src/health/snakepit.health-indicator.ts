import { Injectable, type BeforeApplicationShutdown, type OnApplicationShutdown } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';

import { Snakepit, type PoolService, type PoolStatus } from '../runtime/index.js';

/** What health tells of one pool. */
export interface PoolHealth {
  readonly status: PoolStatus;
  /** Workers that take calls, and how many there should be. */
  readonly ready: number;
  readonly size: number;
  readonly queued: number;
  readonly inFlight: number;
  readonly restarts: number;
  /** First line of why the latest worker did not start, or how it ended by itself; only while the pool is not up. */
  readonly lastFailure?: string;
}

type PoolsHealth = Readonly<Record<string, PoolHealth>>;

/** Health of the pools for Terminus, read from what they are at that moment; nothing is sent to a worker. */
@Injectable()
export class SnakepitHealthIndicator implements BeforeApplicationShutdown, OnApplicationShutdown {
  #isShuttingDown = false;
  #isClosed = false;

  constructor(
    private readonly snakepit: Snakepit,
    private readonly indicators: HealthIndicatorService,
  ) {}

  beforeApplicationShutdown(): void {
    this.#isShuttingDown = true;
  }

  onApplicationShutdown(): void {
    this.#isClosed = true;
  }

  /**
   * `up` when all workers of the pools are ready, `degraded` (HTTP 200) when some are, `down` (HTTP 503) when a pool has none.
   *
   * @param poolNames the pools to look at; all when left out
   * @throws SnakepitError POOL_NOT_FOUND
   */
  isHealthy<const Key extends string>(key: Key, poolNames = this.snakepit.poolNames): HealthIndicatorResult<Key> {
    const pools = this.#healthOf(poolNames);
    return this.#mark(key, worstOf(pools), pools);
  }

  /**
   * Whether to send requests here: `up` while every pool can take a call, be it with fewer workers than it should have;
   * `down` before the start, while a pool has no worker, and from the beginning of the shutdown.
   */
  isReady<const Key extends string>(key: Key, poolNames = this.snakepit.poolNames): HealthIndicatorResult<Key> {
    const pools = this.#healthOf(poolNames);
    const isReady = !this.#isShuttingDown && worstOf(pools) !== 'down';
    return this.#mark(key, isReady ? 'up' : 'down', pools);
  }

  /**
   * Whether to leave this process alone: `up` until it has shut down. That it answers shows that its event loop turns; broken
   * workers are replaced by their pools and are no reason to restart the host.
   */
  isAlive<const Key extends string>(key: Key): HealthIndicatorResult<Key> {
    const indicator = this.indicators.check(key);
    return this.#isClosed ? indicator.down('the application has shut down') : indicator.up();
  }

  #mark<const Key extends string>(key: Key, status: PoolStatus, pools: PoolsHealth): HealthIndicatorResult<Key> {
    const indicator = this.indicators.check(key);
    switch (status) {
      case 'up':
        return indicator.up({ pools });
      case 'degraded':
        return indicator.degraded({ pools });
      case 'down':
        return indicator.down({ pools });
    }
  }

  #healthOf(poolNames: readonly string[]): PoolsHealth {
    return Object.fromEntries(poolNames.map((name) => [name, describe(this.snakepit.pool(name))]));
  }
}

function describe(pool: PoolService): PoolHealth {
  const { status, size, available, busy, queued, inFlight, restarts } = pool.stats();
  const lastFailure = pool.lastFailure?.message.split('\n', 1)[0];
  return {
    status,
    ready: available + busy,
    size,
    queued,
    inFlight,
    restarts,
    ...(lastFailure !== undefined && { lastFailure }),
  };
}

function worstOf(pools: PoolsHealth): PoolStatus {
  const statuses = new Set(Object.values(pools).map(({ status }) => status));
  if (statuses.has('down')) return 'down';
  return statuses.has('degraded') ? 'degraded' : 'up';
}
