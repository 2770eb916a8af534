import type { MetricType } from './metrics-table.js';
import type { Labels } from './sample.js';
import { WorkerMetric, WorkerSeries } from './worker-series.js';

const METRIC_NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,99}$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/;
const OWN_LABELS: ReadonlySet<string> = new Set(['pool', 'worker', 'le', 'quantile']);
const MAX_LABELS = 8;
const MAX_LABEL_VALUE = 128;

const TYPES: Readonly<Record<string, MetricType>> = { count: 'counter', gauge: 'gauge', observe: 'histogram' };

/** Why something that a worker measured is not exported. */
export type DropCause = 'malformed' | 'names' | 'labels' | 'series' | 'conflict';

interface Source {
  readonly pool: string;
  readonly worker: string;
}

export interface WorkerMetricsParts {
  /** How many metrics workers may make up, and how many series each of them may have. */
  readonly maxMetrics: number;
  readonly maxSeries: number;
  readonly boundsOf: (name: string) => readonly number[];
  /** A metric was seen for the first time; false when it cannot be exported. */
  readonly onMetric: (metric: WorkerMetric) => boolean;
  /** Told of the first of each kind for each pool. */
  readonly onDropped: (pool: string, cause: DropCause, entry: string) => void;
}

/** What the commands of all workers measure, within bounds: a worker must not fill the host's memory, or Prometheus. */
export class WorkerMetrics {
  readonly #parts: WorkerMetricsParts;
  readonly #metrics = new Map<string, WorkerMetric | undefined>();
  readonly #dropped = new Map<string, Map<DropCause, number>>();

  constructor(parts: WorkerMetricsParts) {
    this.#parts = parts;
  }

  /** How many entries were dropped, by pool and cause. */
  get dropped(): ReadonlyMap<string, ReadonlyMap<DropCause, number>> {
    return this.#dropped;
  }

  /** Takes in what one event of a worker brought. */
  add(pool: string, worker: string, data: unknown): void {
    if (!Array.isArray(data)) return this.#drop(pool, 'malformed', data);
    for (const entry of data as unknown[]) {
      const cause = this.#addEntry({ pool, worker }, entry);
      if (cause !== undefined) this.#drop(pool, cause, entry);
    }
  }

  /** Forgets the gauges of workers that are gone. */
  retain(workers: ReadonlySet<string>): void {
    for (const metric of this.#metrics.values()) {
      if (metric?.type !== 'gauge') continue;
      for (const [key, { labels }] of metric.series) if (!workers.has(labels['worker']!)) metric.series.delete(key);
    }
  }

  #addEntry(source: Source, entry: unknown): DropCause | undefined {
    if (!Array.isArray(entry)) return 'malformed';
    const [kind, name, given, value] = entry as unknown[];
    const type = TYPES[String(kind)];
    const labels = labelsOf(given);
    if (type === undefined || typeof name !== 'string' || !METRIC_NAME.test(name)) return 'malformed';
    if (labels === undefined) return 'labels';
    const metric = this.#metricOf(name, type, labels);
    if (!(metric instanceof WorkerMetric)) return metric;
    // What workers count adds up; what they set is each worker's own.
    const { pool } = source;
    const series = this.#seriesOf(metric, type === 'gauge' ? { ...source, ...labels } : { pool, ...labels });
    return series === undefined ? 'series' : apply(series, type, value);
  }

  #metricOf(name: string, type: MetricType, labels: Labels): WorkerMetric | DropCause {
    if (!this.#metrics.has(name)) {
      if (this.#metrics.size >= this.#parts.maxMetrics) return 'names';
      const bounds = type === 'histogram' ? this.#parts.boundsOf(name) : undefined;
      const made = new WorkerMetric(name, type, Object.keys(labels), bounds);
      this.#metrics.set(name, this.#parts.onMetric(made) ? made : undefined);
    }
    const metric = this.#metrics.get(name);
    if (metric === undefined || metric.type !== type) return 'conflict';
    const names = Object.keys(labels);
    const isSame =
      names.length === metric.labelNames.length && names.every((each, at) => each === metric.labelNames[at]);
    return isSame ? metric : 'labels';
  }

  #seriesOf(metric: WorkerMetric, labels: Labels): WorkerSeries | undefined {
    const key = JSON.stringify(Object.values(labels));
    let series = metric.series.get(key);
    if (series === undefined && metric.series.size < this.#parts.maxSeries) {
      series = new WorkerSeries(labels, metric.bounds);
      metric.series.set(key, series);
    }
    return series;
  }

  #drop(pool: string, cause: DropCause, entry: unknown): void {
    let causes = this.#dropped.get(pool);
    if (causes === undefined) this.#dropped.set(pool, (causes = new Map()));
    const before = causes.get(cause) ?? 0;
    causes.set(cause, before + 1);
    if (before === 0) this.#parts.onDropped(pool, cause, JSON.stringify(entry)?.slice(0, 200) ?? String(entry));
  }
}

/** With the names in order; undefined where they are none that could be exported. */
function labelsOf(given: unknown): Labels | undefined {
  if (given === null || given === undefined) return {};
  if (typeof given !== 'object' || Array.isArray(given)) return undefined;
  const entries = Object.entries(given).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length > MAX_LABELS) return undefined;
  const labels: Record<string, string> = {};
  for (const [name, value] of entries) {
    if (!LABEL_NAME.test(name) || name.startsWith('__') || OWN_LABELS.has(name)) return undefined;
    if (typeof value !== 'string' || value.length > MAX_LABEL_VALUE) return undefined;
    labels[name] = value;
  }
  return labels;
}

function apply(series: WorkerSeries, type: MetricType, value: unknown): DropCause | undefined {
  const { histogram } = series;
  if (histogram !== undefined) {
    if (!Array.isArray(value)) return 'malformed';
    for (const each of value as unknown[]) {
      if (typeof each !== 'number' || !Number.isFinite(each)) return 'malformed';
      histogram.observe(each);
    }
    return undefined;
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) return 'malformed';
  if (type === 'gauge') series.value = value;
  else if (value < 0) return 'malformed';
  else series.value += value;
  return undefined;
}
