import { createSnakepit, node, python, type LogRecord, type Snakepit } from 'nestjs-snakepit/core';
import { collectMetrics, type MetricsOptions, type SnakepitMetrics } from 'nestjs-snakepit/core/metrics';
import { Registry } from 'prom-client';
import { lastValueFrom, toArray } from 'rxjs';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { Exposition } from '../../support/exposition.js';
import { failureOf } from '../../support/outcomes.js';

const ADAPTERS = {
  'Python on a descriptor': () => python({ module: 'test/fixtures/metrics/measured.py' }),
  'Python over gRPC': () => python({ module: 'test/fixtures/metrics/measured.py', transport: 'grpc' }),
  'Node on a descriptor': () => node({ module: 'test/fixtures/metrics/measured.js' }),
  'Node over gRPC': () => node({ module: 'test/fixtures/metrics/measured.js', transport: 'grpc' }),
};

let snakepit: Snakepit | undefined;
let metrics: SnakepitMetrics | undefined;
const logs: LogRecord[] = [];

async function open(adapter: keyof typeof ADAPTERS, options: MetricsOptions = {}, size = 1): Promise<Snakepit> {
  const env = { PYTHONPATH: inject('pythonPackages') };
  snakepit = await createSnakepit(
    { pools: { work: { adapter: ADAPTERS[adapter](), size, env } } },
    { log: (record) => logs.push(record) },
  );
  metrics = collectMetrics(snakepit, { registry: new Registry(), ...options });
  return snakepit;
}

const scrape = async (): Promise<Exposition> => new Exposition(await metrics!.metrics());

afterEach(async () => {
  metrics?.close();
  await snakepit?.close();
  logs.length = 0;
});

describe.each(Object.keys(ADAPTERS) as (keyof typeof ADAPTERS)[])('what workers measure, %s', (adapter) => {
  it('is there when the call has its answer, with the pool and the labels', async () => {
    const pool = (await open(adapter, { workerBuckets: { batch_rows: [10, 100] } })).pool('work');
    await pool.execute('load', { table: 'orders', rows: 3, repeat: 2 });
    await pool.execute('load', { table: 'users', rows: 40 });
    await pool.execute('load_later', { table: 'orders', rows: 5 });
    expect(
      await lastValueFrom(pool.stream('load_in_parts', { table: 'parts', parts: 4 }).pipe(toArray())),
    ).toHaveLength(4);
    const page = await scrape();
    expect(page.value('snakepit_app_rows_total', { pool: 'work', table: 'orders' })).toBe(11);
    expect(page.value('snakepit_app_rows_total', { pool: 'work', table: 'users' })).toBe(40);
    expect(page.value('snakepit_app_rows_total', { pool: 'work', table: 'parts' })).toBe(4);
    const [worker] = pool.workers();
    expect(page.find('snakepit_app_cache_entries')).toEqual([
      { name: 'snakepit_app_cache_entries', labels: { pool: 'work', worker: worker!.id }, value: 40 },
    ]);
    expect(page.types.get('snakepit_app_batch_rows')).toBe('histogram');
    expect(page.value('snakepit_app_batch_rows_bucket', { le: '10' })).toBe(1);
    expect(page.value('snakepit_app_batch_rows_bucket', { le: '100' })).toBe(2);
    expect(page.value('snakepit_app_batch_rows_sum')).toBe(43);
  });

  it('is added up in the worker: a hundred thousand counts are no hundred thousand messages', async () => {
    const pool = (await open(adapter)).pool('work');
    const before = pool.stats().receivedBytes;
    await pool.execute('load', { table: 'orders', rows: 1, repeat: 100_000 });
    expect((await scrape()).value('snakepit_app_rows_total')).toBe(100_000);
    expect(pool.stats().receivedBytes - before).toBeLessThan(20_000);
  });

  it('stays within bounds, whatever a worker makes up, and what is dropped is counted and said once', async () => {
    const pool = (await open(adapter, { maxWorkerMetrics: 10, maxWorkerSeries: 5 })).pool('work');
    await pool.execute('load', { table: 'orders', rows: 1 });
    await pool.execute('scatter', { count: 300 });
    const page = await scrape();
    const names = [...page.types.keys()].filter((name) => name.startsWith('snakepit_app_'));
    expect(names).toHaveLength(10);
    expect(page.find('snakepit_app_by_user_total')).toHaveLength(5);
    const dropped = (cause: string) => page.value('snakepit_worker_metrics_dropped_total', { pool: 'work', cause });
    // rows, cache_entries, batch_rows and by_user have taken four of the ten names.
    expect(dropped('names')).toBe(294);
    expect(dropped('series')).toBe(295);
    expect(dropped('malformed')).toBe(1);
    expect(dropped('labels')).toBe(1);
    expect(logs.filter(({ message }) => message.includes('a metric of a worker is dropped'))).toHaveLength(4);
  });

  it('is refused in the worker where it makes no sense', async () => {
    const pool = (await open(adapter)).pool('work');
    const because = async (how: string) => (await failureOf(pool.execute('misuse', { how }))).message;
    expect(await because('negative')).toContain('a count must not be negative, and -1 is');
    expect(await because('not-finite')).toContain('is not a finite number');
    expect(await because('reserved')).toContain("the library's own; choose another name than 'snakepit.metrics'");
  });
});

it('gauges are those of the workers that there are', async () => {
  const pool = (await open('Python on a descriptor')).pool('work');
  await pool.execute('load', { table: 'orders', rows: 1 });
  const [before] = pool.workers();
  expect((await scrape()).labelValues('worker')).toContain(before!.id);
  await pool.restart(before!.id);
  const page = await scrape();
  expect(page.find('snakepit_app_cache_entries')).toEqual([]);
  expect(page.labelValues('worker')).not.toContain(before!.id);
  expect(page.value('snakepit_app_rows_total')).toBe(1);
});

it('reaches nobody when nobody collects', async () => {
  const pool = (await open('Python on a descriptor')).pool('work');
  metrics!.close();
  await pool.execute('load', { table: 'orders', rows: 1 });
  metrics = collectMetrics(snakepit!, { registry: new Registry() });
  expect((await scrape()).value('snakepit_app_rows_total')).toBeUndefined();
});
