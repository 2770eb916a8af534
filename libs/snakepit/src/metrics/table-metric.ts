import type { Metric, Registry } from 'prom-client';

import type { MetricType, Sample } from '../telemetry/metrics/index.js';

interface TableMetricParts {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly read: () => Promise<readonly Sample[]>;
}

interface PromValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Undefined where it is that of the metric. */
  readonly metricName: string | undefined;
}

/**
 * A metric as a registry of prom-client asks for it. Its values are counted elsewhere, in plain numbers, and only put into
 * prom-client's form when they are read: its own classes would hash labels for each call.
 */
export class TableMetric {
  /** A registry in OpenMetrics' format takes `_total` off a counter's name and puts it behind each line's. */
  name: string;
  readonly help: string;
  readonly type: MetricType;
  /** How a cluster's workers are summed up. */
  readonly aggregator = 'sum';
  readonly #read: TableMetricParts['read'];
  readonly #givenName: string;

  constructor({ name, help, type, read }: TableMetricParts) {
    this.name = name;
    this.#givenName = name;
    this.help = help;
    this.type = type;
    this.#read = read;
  }

  /** @throws Error when the registry has another metric of that name */
  register(registry: Registry): void {
    registry.registerMetric(this as unknown as Metric<string>);
  }

  /** Another one may have taken the name since. */
  unregister(registry: Registry): void {
    const registered: unknown = registry.getSingleMetric(this.#givenName);
    if (registered === this) registry.removeSingleMetric(this.#givenName);
  }

  async get(): Promise<{ name: string; help: string; type: string; aggregator: string; values: PromValue[] }> {
    const { name, help, type, aggregator } = this;
    const values = (await this.#read()).map(({ labels, value, suffix }) => ({
      labels,
      value,
      metricName: suffix === undefined ? undefined : `${name}${suffix}`,
    }));
    return { name, help, type, aggregator, values };
  }

  /** Counts belong to the pools, which never go back. */
  reset(): void {}
}
