/** The event by which a worker sends what its commands measured; names that begin with `snakepit.` are the library's own. */
export const METRICS_EVENT = 'snakepit.metrics';
export const RESERVED_EVENT_PREFIX = 'snakepit.';

export type WorkerMetricKind = 'count' | 'gauge' | 'observe';

/** What was added, set or seen since the last such event, in the order of {@link METRICS_EVENT}'s list. */
export type WorkerMetricEntry = readonly [
  kind: WorkerMetricKind,
  name: string,
  labels: Readonly<Record<string, string>> | null,
  /** The sum of what was counted, the latest value, or all values seen. */
  value: number | readonly number[],
];
