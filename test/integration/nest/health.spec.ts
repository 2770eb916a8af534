import 'reflect-metadata';
import { rmSync, writeFileSync, mkdtempSync, copyFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { PoolService, python, SnakepitModule } from 'nestjs-snakepit';
import { SnakepitHealthIndicator, SnakepitHealthModule } from 'nestjs-snakepit/health';
import { afterAll, describe, expect, it } from 'vitest';
import { bootApp, createApp, reports, serveApp } from './support/apps.js';
import { until } from './support/processes.js';

const folder = mkdtempSync(join(tmpdir(), 'snakepit-health-'));
afterAll(() => rmSync(folder, { recursive: true }));

@Controller()
class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly snakepit: SnakepitHealthIndicator,
  ) {}

  @Get('health')
  @HealthCheck()
  check() {
    return this.health.check([() => this.snakepit.isHealthy('pools')]);
  }

  @Get('live')
  @HealthCheck()
  live() {
    return this.health.check([() => this.snakepit.isAlive('host')]);
  }

  @Get('ready')
  @HealthCheck()
  ready() {
    return this.health.check([() => this.snakepit.isReady('pools')]);
  }
}

/** A pool whose workers cannot be restarted once `breakIt` was called. */
async function serveBreakablePool(size: number) {
  const module = join(mkdtempSync(join(folder, 'pool-')), 'report.py');
  copyFileSync('test/fixtures/nest/report.py', module);
  const { app, url } = await serveApp({
    imports: [SnakepitModule.forRoot({ adapter: python({ module }), size }), TerminusModule, SnakepitHealthModule],
    controllers: [HealthController],
  });
  const look = async (path: string) => {
    const response = await fetch(`${url}/${path}`);
    return { http: response.status, ...((await response.json()) as { status: string; details: unknown }) };
  };
  const pool = app.get(PoolService);
  const breakIt = () => writeFileSync(module, 'raise RuntimeError("broken release")\n');
  return { pool, look, breakIt };
}

describe('SnakepitHealthIndicator', () => {
  it('is up while all workers are ready', async () => {
    const { look } = await serveBreakablePool(2);
    const pools = { default: { status: 'up', ready: 2, size: 2, queued: 0, inFlight: 0, restarts: 0 } };
    const details = { pools: { status: 'up', pools } };
    expect(await look('health')).toMatchObject({ http: 200, status: 'ok', details });
    expect(await look('ready')).toMatchObject({ http: 200 });
    expect(await look('live')).toMatchObject({ http: 200, details: { host: { status: 'up' } } });
  });

  it('is degraded while workers are missing, and still ready', async () => {
    const { pool, look, breakIt } = await serveBreakablePool(2);
    breakIt();
    await pool.execute('die').catch(() => undefined);
    await until(() => pool.lastFailure?.code === 'WORKER_START_FAILED', 'a restart has failed');
    const pools = {
      default: { status: 'degraded', ready: 1, size: 2, lastFailure: expect.stringMatching(/did not start/) as string },
    };
    expect(await look('health')).toMatchObject({ http: 200, status: 'degraded', details: { pools: { pools } } });
    expect(await look('ready')).toMatchObject({ http: 200 });
  });

  it('is down while no worker is ready, but alive', async () => {
    const { pool, look, breakIt } = await serveBreakablePool(1);
    breakIt();
    await pool.execute('die').catch(() => undefined);
    await until(() => pool.lastFailure?.code === 'WORKER_START_FAILED', 'a restart has failed');
    const health = await look('health');
    expect(health).toMatchObject({ http: 503, status: 'error' });
    expect(health.details).toMatchObject({ pools: { status: 'down', pools: { default: { ready: 0, size: 1 } } } });
    expect(JSON.stringify(health)).not.toMatch(/Traceback|command line/);
    expect(await look('ready')).toMatchObject({ http: 503 });
    expect(await look('live')).toMatchObject({ http: 200 });
  });

  it('looks at the pools it is asked about', async () => {
    const pools = { default: { adapter: reports(), size: 1 }, ml: { adapter: reports(), size: 1 } };
    const app = await bootApp({ imports: [SnakepitModule.forRoot({ pools }), SnakepitHealthModule] });
    const indicator = app.get(SnakepitHealthIndicator);
    expect(indicator.isHealthy('one', ['ml'])).toMatchObject({
      one: { status: 'up', pools: { ml: { status: 'up' } } },
    });
    expect(Object.keys(indicator.isHealthy('all')['all'].pools as object)).toEqual(['default', 'ml']);
    expect(() => indicator.isHealthy('none', ['nosuch'])).toThrow(/no pool 'nosuch'/);
  });

  it('is not ready before the start and after the end, and not alive after the end', async () => {
    const app = await createApp({
      imports: [SnakepitModule.forRoot({ adapter: reports(), size: 1 }), SnakepitHealthModule],
    });
    const indicator = app.get(SnakepitHealthIndicator);
    expect(indicator.isReady('pools')).toMatchObject({ pools: { status: 'down' } });
    expect(indicator.isAlive('host')).toMatchObject({ host: { status: 'up' } });
    await app.init();
    expect(indicator.isReady('pools')).toMatchObject({ pools: { status: 'up' } });
    await app.close();
    expect(indicator.isReady('pools')).toMatchObject({ pools: { status: 'down' } });
    expect(indicator.isAlive('host')).toMatchObject({ host: { status: 'down' } });
  });
});
