import { register, type Registry } from 'prom-client';

import { SnakepitError, toError, type CallMeters, type CallMeter } from '../core/index.js';
import { resolveOptions } from '../core/index.js';
import type { Snakepit } from '../runtime/index.js';
import {
  CommandMeters,
  METRICS,
  samplesOf,
  WorkerMetrics,
  type DropCause,
  type MetricName,
  type MetricSpec,
  type Sample,
  type WorkerMetric,
} from '../telemetry/metrics/index.js';
import { addCommandSamples, type SamplesByName } from './command-samples.js';
import { metricsOptionTable, type MetricsOptions, type ResolvedMetricsOptions } from './metrics-options.js';
import { addPoolSamples, addUsageSamples } from './pool-samples.js';
import { TableMetric } from './table-metric.js';

const metered = new WeakSet<Snakepit>();

/** The metrics of one application's pools, in a registry of prom-client until they are closed. */
export class SnakepitMetrics implements CallMeters {
  readonly registry: Registry;
  readonly #snakepit: Snakepit;
  readonly #options: ResolvedMetricsOptions;
  readonly #commands: CommandMeters;
  readonly #workerMetrics: WorkerMetrics;
  readonly #registered: TableMetric[] = [];
  /** What all metrics of one scrape are read from. */
  #reading: Promise<SamplesByName> | undefined;

  /**
   * Registers the metrics and begins to count.
   *
   * @throws SnakepitError INVALID_OPTIONS; MISUSE where these pools are counted already, or the registry has such metrics.
   */
  constructor(snakepit: Snakepit, options: MetricsOptions = {}) {
    const resolved = resolveOptions(metricsOptionTable, options, 'metrics');
    this.#snakepit = snakepit;
    this.#options = resolved;
    this.registry = resolved.registry ?? register;
    const { buckets: bounds, workerBuckets, maxCommands, maxWorkerMetrics, maxWorkerSeries } = resolved;
    this.#commands = new CommandMeters({ bounds, maxCommands, knows: (pool, command) => this.#knows(pool, command) });
    this.#workerMetrics = new WorkerMetrics({
      maxMetrics: maxWorkerMetrics,
      maxSeries: maxWorkerSeries,
      boundsOf: (name) => workerBuckets[name] ?? bounds,
      onMetric: (metric) => this.#exportWorkerMetric(metric),
      onDropped: (pool, cause, entry) => this.#onDropped(pool, cause, entry),
    });
    if (metered.has(snakepit)) {
      throw new SnakepitError('MISUSE', {
        reason: 'the metrics of these pools are collected already; close those first',
      });
    }
    this.#registerAll();
    metered.add(snakepit);
    snakepit.meter(this);
  }

  /** All metrics of the registry, as Prometheus reads them; send them with {@link contentType}. */
  metrics(): Promise<string> {
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** Counts no more and takes the metrics out of the registry. */
  close(): void {
    this.#unregisterAll();
    if (metered.delete(this.#snakepit)) this.#snakepit.meter(undefined);
  }

  /** @internal */
  meterOf(pool: string, kind: 'call' | 'stream', command: string): CallMeter {
    return this.#commands.of(pool, kind, command);
  }

  /** @internal */
  onWorkerMetrics(pool: string, worker: string, data: unknown): void {
    this.#workerMetrics.add(pool, worker, data);
  }

  // ---- the registry ------------------------------------------------------------------------------------------------

  #registerAll(): void {
    try {
      for (const [name, { type, help }] of Object.entries(METRICS) as [MetricName, MetricSpec][]) {
        const read = async (): Promise<readonly Sample[]> => (await this.#read())[name];
        this.#register(new TableMetric({ name: `${this.#options.prefix}${name}`, help, type, read }));
      }
    } catch (error) {
      this.#unregisterAll();
      const remedy = "Give each application a 'registry' or a 'prefix' of its own";
      throw new SnakepitError('MISUSE', { reason: `${toError(error).message} ${remedy}` }, { cause: error });
    }
  }

  #register(metric: TableMetric): void {
    metric.register(this.registry);
    this.#registered.push(metric);
  }

  #unregisterAll(): void {
    for (const metric of this.#registered.splice(0)) metric.unregister(this.registry);
  }

  #exportWorkerMetric(metric: WorkerMetric): boolean {
    const { name, type } = metric;
    const suffix = type === 'counter' && !name.endsWith('_total') ? '_total' : '';
    const read = async (): Promise<readonly Sample[]> => {
      await this.#read();
      return [...metric.series.values()].flatMap(({ labels, value, histogram }) =>
        histogram === undefined ? [{ labels, value }] : samplesOf(histogram, labels),
      );
    };
    const fullName = `${this.#options.workerPrefix}${name}${suffix}`;
    const help = `'${name}', which workers emit.`;
    try {
      this.#register(new TableMetric({ name: fullName, help, type, read }));
      return true;
    } catch {
      return false;
    }
  }

  // ---- reading -----------------------------------------------------------------------------------------------------

  /** A registry asks all of its metrics in one go. */
  #read(): Promise<SamplesByName> {
    if (this.#reading === undefined) {
      this.#reading = this.#collect();
      queueMicrotask(() => (this.#reading = undefined));
    }
    return this.#reading;
  }

  async #collect(): Promise<SamplesByName> {
    const samples = Object.fromEntries(Object.keys(METRICS).map((name) => [name, []])) as unknown as SamplesByName;
    for (const meter of this.#commands) addCommandSamples(samples, meter);
    const pools = this.#snakepit.poolNames.map((name) => this.#snakepit.pool(name));
    const present = new Set<string>();
    for (const pool of pools) {
      const workers = pool.workers();
      for (const { id } of workers) present.add(id);
      addPoolSamples(samples, pool.stats(), workers);
    }
    this.#workerMetrics.retain(present);
    for (const [pool, causes] of this.#workerMetrics.dropped) {
      for (const [cause, value] of causes)
        samples.worker_metrics_dropped_total.push({ labels: { pool, cause }, value });
    }
    if (this.#options.perWorker) await Promise.all(pools.map((pool) => addUsageSamples(samples, pool)));
    await this.#addSessions(samples);
    return samples;
  }

  async #addSessions(samples: SamplesByName): Promise<void> {
    const { sessions, created, deleted, expired } = await this.#snakepit.sessions.stats();
    samples.sessions.push({ labels: {}, value: sessions });
    for (const [event, value] of Object.entries({ created, deleted, expired })) {
      samples.session_events_total.push({ labels: { event }, value });
    }
  }

  #knows(pool: string, command: string): boolean {
    const { commands } = this.#snakepit.pool(pool);
    const supported = this.#snakepit.options.pools[pool]?.adapter.supportedCommands;
    return commands?.some(({ name }) => name === command) === true || supported?.includes(command) === true;
  }

  #onDropped(pool: string, cause: DropCause, entry: string): void {
    this.#snakepit.log({ level: 'warn', pool, message: `a metric of a worker is dropped (${WHY[cause]}): ${entry}` });
  }
}

const WHY: Readonly<Record<DropCause, string>> = {
  malformed: 'it cannot be read; names are letters, digits and underscores, values finite numbers',
  names: "there are 'maxWorkerMetrics' of them already",
  labels: 'it has other labels than before, too many, or such that are reserved',
  series: "it has 'maxWorkerSeries' label sets already",
  conflict: 'another metric has its name',
};

/** Counts the calls of these pools, without Nest. @throws SnakepitError as {@link SnakepitMetrics} does */
export function collectMetrics(snakepit: Snakepit, options?: MetricsOptions): SnakepitMetrics {
  return new SnakepitMetrics(snakepit, options);
}
