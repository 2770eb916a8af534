import { Histogram } from './histogram.js';
import type { MetricType } from './metrics-table.js';
import type { Labels } from './sample.js';

/** What workers asked to be counted, set or observed: one series, summed over the workers of a pool unless it is a gauge. */
export class WorkerSeries {
  value = 0;
  readonly histogram: Histogram | undefined;

  constructor(
    readonly labels: Labels,
    bounds: readonly number[] | undefined,
  ) {
    this.histogram = bounds && new Histogram(bounds);
  }
}

/** A metric that workers have made up: its type and its labels are those of its first record. */
export class WorkerMetric {
  readonly series = new Map<string, WorkerSeries>();

  constructor(
    readonly name: string,
    readonly type: MetricType,
    /** Sorted; those that the host adds are not among them. */
    readonly labelNames: readonly string[],
    readonly bounds: readonly number[] | undefined,
  ) {}
}
