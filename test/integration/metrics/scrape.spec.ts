import 'reflect-metadata';
import { Injectable, Logger } from '@nestjs/common';
import { InjectPool, node, PoolService, python, Snakepit, SnakepitModule } from 'nestjs-snakepit';
import { collectMetrics, METRICS, SnakepitMetrics, SnakepitMetricsModule } from 'nestjs-snakepit/metrics';
import { register, Registry } from 'prom-client';
import { lastValueFrom, toArray } from 'rxjs';
import { expect, it } from 'vitest';

import { Exposition } from '../../support/exposition.js';
import { failureOf } from '../../support/outcomes.js';
import { bootApp, bootError, createApp, serveApp } from '../nest/support/apps.js';

const pools = {
  reports: { adapter: python({ module: 'test/fixtures/metrics/measured.py' }), size: 2 },
  scripts: { adapter: node({ module: 'test/fixtures/metrics/measured.js' }), size: 1 },
};

@Injectable()
class Caller {
  constructor(
    @InjectPool('reports') readonly reports: PoolService,
    @InjectPool('scripts') readonly scripts: PoolService,
  ) {}
}

async function scrape(url: string): Promise<Exposition> {
  const response = await fetch(url);
  expect(response.headers.get('content-type')).toBe(Registry.PROMETHEUS_CONTENT_TYPE);
  return new Exposition(await response.text());
}

it('a scrape over HTTP tells what real workers of both languages did', async () => {
  const registry = new Registry();
  const { app, url } = await serveApp({
    imports: [SnakepitModule.forRoot({ pools }), SnakepitMetricsModule.forRoot({ registry, endpoint: 'metrics' })],
    providers: [Caller],
  });
  const { reports, scripts } = app.get(Caller);
  for (let call = 0; call < 5; call += 1) await reports.execute('add', { a: 1, b: call });
  await reports.execute('nap', { seconds: 0.12 });
  await failureOf(reports.execute('fail'));
  await failureOf(scripts.execute('fail'));
  expect(await lastValueFrom(reports.stream('ticks', { count: 7 }).pipe(toArray()))).toHaveLength(7);

  const page = await scrape(`${url}/metrics`);
  const add = { pool: 'reports', command: 'add', kind: 'call' };
  expect(page.value('snakepit_calls_total', { ...add, outcome: 'ok' })).toBe(5);
  expect(page.value('snakepit_call_errors_total', { pool: 'scripts', command: 'fail', code: 'REMOTE_ERROR' })).toBe(1);
  expect(page.value('snakepit_calls_total', { command: 'fail', outcome: 'error' })).toBe(2);
  expect(page.value('snakepit_stream_items_total', { pool: 'reports', command: 'ticks' })).toBe(7);
  expect(page.value('snakepit_calls_total', { command: 'ticks', kind: 'stream', outcome: 'ok' })).toBe(1);
  // A worker says of 120 ms only that it was 65 ms or more.
  const nap = { pool: 'reports', command: 'nap' };
  expect(page.value('snakepit_call_service_seconds_sum', nap)).toBeGreaterThanOrEqual(0.12);
  expect(page.value('snakepit_call_duration_seconds_bucket', { ...nap, le: '0.1' })).toBe(0);
  expect(page.value('snakepit_call_duration_seconds_bucket', { ...nap, le: '+Inf' })).toBe(1);
  expect(page.value('snakepit_call_queue_seconds_count', add)).toBe(5);
  expect(page.value('snakepit_workers', { pool: 'reports', state: 'ready' })).toBe(2);
  expect(page.value('snakepit_pool_status', { pool: 'scripts', status: 'up' })).toBe(1);
  expect(page.value('snakepit_sent_bytes_total', { pool: 'reports' })).toBeGreaterThan(100);
  expect(page.value('snakepit_received_bytes_total', { pool: 'scripts' })).toBeGreaterThan(10);
  if (process.platform === 'linux') {
    const workers = reports.workers().map(({ id }) => id);
    expect(
      page.find('snakepit_worker_resident_bytes', { pool: 'reports' }).map(({ labels }) => labels['worker']),
    ).toEqual(workers);
    expect(page.value('snakepit_worker_cpu_seconds_total', { pool: 'scripts' })).toBeGreaterThan(0);
  }
});

it('exports every metric of the table, with its type', async () => {
  const registry = new Registry();
  const { url } = await serveApp({
    imports: [
      SnakepitModule.forRoot({ pools: { reports: pools.reports } }),
      SnakepitMetricsModule.forRoot({ registry, prefix: 'acme_', endpoint: 'internal/metrics' }),
    ],
  });
  const { types } = await scrape(`${url}/internal/metrics`);
  const table = Object.entries(METRICS).map(([name, { type }]) => [`acme_${name}`, type]);
  expect(Object.fromEntries(types)).toEqual(Object.fromEntries(table));
});

it('speaks OpenMetrics where the registry does', async () => {
  const registry = new Registry();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  const app = await bootApp({
    imports: [
      SnakepitModule.forRoot({ pools: { reports: pools.reports } }),
      SnakepitMetricsModule.forRoot({ registry: registry as never }),
    ],
  });
  const metrics = app.get(SnakepitMetrics);
  await app.get(Snakepit).pool('reports').execute('add', { a: 1, b: 2 });
  for (let scrapes = 0; scrapes < 2; scrapes += 1) {
    const text = await metrics.metrics();
    expect(text).toContain('# TYPE snakepit_calls counter');
    expect(text).toMatch(/^snakepit_calls_total\{pool="reports",command="add",kind="call",outcome="ok"\} 1$/m);
    expect(text.endsWith('# EOF\n')).toBe(true);
    // There a counter's family has no `_total`, and must not meet another one.
    const families = [...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name);
    expect(families.toSorted()).toEqual([...new Set(families)].toSorted());
  }
});

it('leaves the global registry as it was when the application is gone, and counts no more', async () => {
  const app = await bootApp({
    imports: [SnakepitModule.forRoot({ pools: { reports: pools.reports } }), SnakepitMetricsModule.forRoot()],
  });
  expect(register.getSingleMetric('snakepit_calls_total')).toBeDefined();
  await app.close();
  expect(register.getMetricsAsArray()).toEqual([]);
});

it.each([
  ['says at the start how, where it is not told', {}, 1],
  ['is silent, where the application does so itself', { endpoint: false as const }, 0],
  ['is silent, where it does', { endpoint: 'metrics' }, 0],
])('serving the metrics: the module %s', async (_, options, warnings) => {
  const said: string[] = [];
  const app = await createApp({
    imports: [
      SnakepitModule.forRoot({ pools: { reports: { ...pools.reports, size: 1 } } }),
      SnakepitMetricsModule.forRoot({ registry: new Registry(), ...options }),
    ],
  });
  app.useLogger({ log: () => {}, error: () => {}, warn: (message: string) => void said.push(message) });
  await app.init();
  const told = said.filter((line) => line.includes("SnakepitMetricsModule.forRoot({ endpoint: 'metrics' })"));
  expect(told).toHaveLength(warnings);
  Logger.overrideLogger(false);
});

it('refuses at the start what cannot be, naming the remedy', async () => {
  const snakepit = SnakepitModule.forRoot({ pools: { reports: pools.reports } });
  const badPrefix = await bootError({ imports: [snakepit, SnakepitMetricsModule.forRoot({ prefix: '9-lives' })] });
  expect(badPrefix.message).toContain(`'metrics.prefix' is "9-lives"; allowed is letters, digits and underscores`);
  const unknown = await bootError({ imports: [snakepit, SnakepitMetricsModule.forRoot({ bucket: [1] } as never)] });
  expect(unknown.message).toContain(`unknown key 'metrics.bucket'`);
});

it('refuses a second collector of the same pools, and a registry that has such metrics', async () => {
  const registry = new Registry();
  const app = await bootApp({
    imports: [
      SnakepitModule.forRoot({ pools: { reports: pools.reports } }),
      SnakepitMetricsModule.forRoot({ registry }),
    ],
  });
  const snakepit = app.get(Snakepit);
  expect(() => collectMetrics(snakepit, { registry: new Registry() })).toThrow('are collected already');
  const other = new Snakepit({ adapter: pools.reports.adapter });
  expect(() => collectMetrics(other, { registry })).toThrow(/already been registered.*Give each application/);
  await other.close();
  const before = new Exposition(await registry.metrics());
  expect(before.types.size).toBe(Object.keys(METRICS).length);
});

it('takes its registry from another provider', async () => {
  const registry = new Registry();
  class RegistryModule {}
  const provides = {
    module: RegistryModule,
    global: true,
    providers: [{ provide: Registry, useValue: registry }],
    exports: [Registry],
  };
  const app = await bootApp({
    imports: [
      provides,
      SnakepitModule.forRoot({ pools: { reports: pools.reports } }),
      SnakepitMetricsModule.forRootAsync({
        inject: [Registry],
        useFactory: (given: Registry) => ({ registry: given }),
      }),
    ],
  });
  expect(app.get(SnakepitMetrics).registry).toBe(registry);
  expect(await registry.metrics()).toContain('snakepit_pool_size{pool="reports"} 2');
});
