export { METRICS, type MetricName, type MetricSpec, type MetricType } from '../telemetry/metrics/index.js';
export { metricsOptionTable, type MetricsOptions } from './metrics-options.js';
export { collectMetrics, SnakepitMetrics } from './snakepit-metrics.js';
