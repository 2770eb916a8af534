import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  InjectPool,
  PoolService,
  SessionService,
  type PoolStats,
  type SessionStats,
  type WorkerInfo,
} from 'nestjs-snakepit';

import { LIBRARIES_POOL, LOGS_POOL, NODE_POOL } from '../pools.js';

export interface Stats {
  readonly pools: readonly PoolStats[];
  readonly workers: Readonly<Record<string, readonly WorkerInfo[]>>;
  readonly sessions: SessionStats;
  readonly host: { readonly pid: number; readonly rssBytes: number; readonly uptimeSeconds: number };
}

@ApiTags('operations')
@Controller('stats')
export class StatsController {
  readonly #pools: readonly PoolService[];

  constructor(
    defaultPool: PoolService,
    @InjectPool(LOGS_POOL) logsPool: PoolService,
    @InjectPool(LIBRARIES_POOL) librariesPool: PoolService,
    @InjectPool(NODE_POOL) nodePool: PoolService,
    private readonly sessions: SessionService,
  ) {
    this.#pools = [defaultPool, logsPool, librariesPool, nodePool];
  }

  @Get()
  @ApiOperation({ summary: 'Pools, workers and sessions, counted' })
  async stats(): Promise<Stats> {
    return {
      pools: this.#pools.map((pool) => pool.stats()),
      workers: Object.fromEntries(this.#pools.map((pool) => [pool.name, pool.workers()])),
      sessions: await this.sessions.stats(),
      host: { pid: process.pid, rssBytes: process.memoryUsage.rss(), uptimeSeconds: Math.round(process.uptime()) },
    };
  }
}
