import type { Registry } from 'prom-client';

import { option, type OptionsInput, type OptionsResolved } from '../core/index.js';
import { TIME_BUCKETS } from '../telemetry/metrics/index.js';

const PREFIX = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const MAX_BUCKETS = 50;

function isPrefix(given: unknown): given is string {
  return given === '' || (typeof given === 'string' && PREFIX.test(given));
}

function areBuckets(given: unknown): given is readonly number[] {
  if (!Array.isArray(given) || given.length === 0 || given.length > MAX_BUCKETS) return false;
  return given.every((each, at) => Number.isFinite(each) && (at === 0 || each > (given[at - 1] as number)));
}

function areNamedBuckets(given: unknown): given is Readonly<Record<string, readonly number[]>> {
  return typeof given === 'object' && given !== null && Object.values(given).every(areBuckets);
}

/** A registry of another copy of prom-client is one too. */
function isRegistry(given: unknown): given is Registry {
  return typeof (given as Registry | null | undefined)?.registerMetric === 'function';
}

const PREFIX_ALLOWED = 'letters, digits and underscores, no digit first';
const BUCKETS_ALLOWED = `a list of 1 to ${MAX_BUCKETS} numbers, each greater than the one before`;

/** Options of `SnakepitMetricsModule.forRoot()` and `collectMetrics()`. */
export const metricsOptionTable = {
  registry: option.value<Registry | undefined>(
    (given): given is Registry => isRegistry(given),
    'a Registry of prom-client',
    { doc: 'Where the metrics are registered.', default: undefined, defaultDoc: "prom-client's global registry" },
  ),
  prefix: option.value<string>(isPrefix, PREFIX_ALLOWED, {
    doc: "What the names of the library's metrics begin with.",
    default: 'snakepit_',
  }),
  workerPrefix: option.value<string>(isPrefix, PREFIX_ALLOWED, {
    doc: 'What the names of the metrics begin with that workers emit.',
    default: 'snakepit_app_',
  }),
  buckets: option.value<readonly number[]>(areBuckets, BUCKETS_ALLOWED, {
    doc: "Bounds of the library's histograms, in seconds.",
    default: TIME_BUCKETS,
  }),
  workerBuckets: option.value<Readonly<Record<string, readonly number[]>>>(
    areNamedBuckets,
    `an object of names without prefix, each with ${BUCKETS_ALLOWED}`,
    { doc: 'Bounds of histograms that workers emit, by name; the others have those of `buckets`.', default: {} },
  ),
  maxCommands: option.integer({
    doc: 'How many commands per pool get a label although no worker has told of them; the others are counted as `other`.',
    default: 50,
    min: 0,
    max: 10_000,
  }),
  maxWorkerMetrics: option.integer({
    doc: 'How many metrics workers may make up; what they emit beyond that is dropped and counted.',
    default: 100,
    min: 0,
    max: 10_000,
  }),
  maxWorkerSeries: option.integer({
    doc: 'How many label sets each of those may have, over all pools.',
    default: 200,
    min: 1,
    max: 100_000,
  }),
  perWorker: option.boolean({
    doc: 'Whether memory and CPU are told for each worker; two small files are read per worker and scrape.',
    default: true,
  }),
};

export type MetricsOptions = OptionsInput<typeof metricsOptionTable>;
export type ResolvedMetricsOptions = OptionsResolved<typeof metricsOptionTable>;
