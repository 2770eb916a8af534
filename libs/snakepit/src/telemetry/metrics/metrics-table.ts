/** Bounds of histograms of times, in seconds: calls cost microseconds, and some commands minutes. */
export const TIME_BUCKETS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60,
];

export type MetricType = 'counter' | 'gauge' | 'histogram';

export interface MetricSpec {
  readonly type: MetricType;
  readonly help: string;
  readonly labels: readonly string[];
  /** Bounds of a histogram, unless the options say; they are of times in seconds. */
  readonly buckets?: readonly number[];
}

const PER_COMMAND = ['pool', 'command', 'kind'];

/**
 * Every metric of the library, by its name without the prefix: what is exported, and what `docs/metrics.md` says.
 *
 * A session's id is never a label, and a command's name only where the workers know it or it is one of the first few.
 */
export const METRICS = {
  calls_total: {
    type: 'counter',
    help: 'Calls that have their outcome: ok, error or cancelled.',
    labels: [...PER_COMMAND, 'outcome'],
  },
  call_errors_total: {
    type: 'counter',
    help: 'Calls that failed, cancelled ones included, by the code of their error.',
    labels: [...PER_COMMAND, 'code'],
  },
  call_duration_seconds: {
    type: 'histogram',
    help: 'From the call to its outcome, as the caller sees it.',
    labels: PER_COMMAND,
    buckets: TIME_BUCKETS,
  },
  call_queue_seconds: {
    type: 'histogram',
    help: 'How long calls waited for a worker, those that never got one included.',
    labels: PER_COMMAND,
    buckets: TIME_BUCKETS,
  },
  call_service_seconds: {
    type: 'histogram',
    help: 'How long commands ran in workers, whether or not somebody still waited for the outcome.',
    labels: PER_COMMAND,
    buckets: TIME_BUCKETS,
  },
  stream_items_total: {
    type: 'counter',
    help: 'Items of streams that reached their consumers.',
    labels: ['pool', 'command'],
  },
  calls_in_flight: { type: 'gauge', help: 'Calls in the hands of workers.', labels: ['pool'] },
  calls_queued: { type: 'gauge', help: 'Calls that wait for a worker.', labels: ['pool'] },
  calls_retrying: { type: 'gauge', help: 'Calls whose next attempt is put off.', labels: ['pool'] },
  sent_bytes_total: {
    type: 'counter',
    help: 'Bytes sent to workers: arguments with all that is around them, what goes through shared memory included.',
    labels: ['pool'],
  },
  received_bytes_total: {
    type: 'counter',
    help: 'Bytes received from workers: results and items with all that is around them, shared memory included.',
    labels: ['pool'],
  },
  pool_status: {
    type: 'gauge',
    help: '1 for what the pool is now: up, degraded (some workers are missing) or down.',
    labels: ['pool', 'status'],
  },
  pool_size: {
    type: 'gauge',
    help: 'Workers that the pool is to have; with `autoscale`, what that has chosen.',
    labels: ['pool'],
  },
  pool_scalings_total: {
    type: 'counter',
    help: 'Changes of the size by `autoscale`: wait, utilization or idle.',
    labels: ['pool', 'reason'],
  },
  workers: {
    type: 'gauge',
    help: 'Workers by state: starting, ready or draining.',
    labels: ['pool', 'state'],
  },
  workers_busy: { type: 'gauge', help: 'Ready workers with calls in hand.', labels: ['pool'] },
  worker_restarts_total: { type: 'counter', help: 'Crashed workers that were started again.', labels: ['pool'] },
  worker_recycles_total: {
    type: 'counter',
    help: 'Healthy workers that were replaced: max-calls, ttl, idle or max-rss.',
    labels: ['pool', 'reason'],
  },
  worker_resident_bytes: {
    type: 'gauge',
    help: "Memory of a worker's process, pages that it shares with others included (Linux).",
    labels: ['pool', 'worker'],
  },
  worker_cpu_seconds_total: {
    type: 'counter',
    help: "CPU time of a worker's process (Linux).",
    labels: ['pool', 'worker'],
  },
  sessions: { type: 'gauge', help: 'Sessions that the store holds.', labels: [] },
  session_events_total: {
    type: 'counter',
    help: 'What became of sessions: created, deleted or expired.',
    labels: ['event'],
  },
  worker_metrics_dropped_total: {
    type: 'counter',
    help: 'What workers measured and the bounds kept out, by cause: malformed, names, labels, series or conflict.',
    labels: ['pool', 'cause'],
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;

export type MetricName = keyof typeof METRICS;
