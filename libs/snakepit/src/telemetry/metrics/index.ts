export { CommandMeters, OTHER_COMMANDS } from './command-meters.js';
export type { CommandMeter } from './command-meter.js';
export { Histogram } from './histogram.js';
export { METRICS, TIME_BUCKETS, type MetricName, type MetricSpec, type MetricType } from './metrics-table.js';
export { samplesOf, type Labels, type Sample } from './sample.js';
export { WorkerMetrics, type DropCause } from './worker-metrics.js';
export type { WorkerMetric } from './worker-series.js';
