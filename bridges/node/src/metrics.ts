import { RESERVED_EVENT_PREFIX, type WorkerMetricKind } from 'nestjs-snakepit/codec';

const WAIT_MS = 100;
const MAX_ENTRIES = 1000;

export type MetricLabels = Readonly<Record<string, string | number | boolean>>;

/** Measures for the host's Prometheus. Names and labels are letters, digits and underscores. */
export interface WorkerMetrics {
  /** Adds `amount`, which is not negative, to a counter. */
  count(name: string, amount?: number, labels?: MetricLabels): void;
  /** Sets a value that goes up and down; each worker has its own. */
  gauge(name: string, value: number, labels?: MetricLabels): void;
  /** Adds a value to a histogram. */
  observe(name: string, value: number, labels?: MetricLabels): void;
}

interface Entry {
  readonly kind: WorkerMetricKind;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>> | null;
  value: number;
  readonly values: number[] | undefined;
}

/**
 * What one call measures: added up, and sent before its answer or after a tenth of a second, so that counting in a loop costs no
 * message each time.
 */
export class CallMetrics implements WorkerMetrics {
  readonly #entries = new Map<string, Entry>();
  #values = 0;
  #since = 0;

  constructor(private readonly send: (entries: unknown[]) => void) {}

  count(name: string, amount = 1, labels?: MetricLabels): void {
    if (amount < 0) throw new RangeError(`metric '${name}': a count must not be negative, and ${amount} is`);
    this.#entry('count', name, amount, labels).value += amount;
    this.#lookAtClock();
  }

  gauge(name: string, value: number, labels?: MetricLabels): void {
    this.#entry('gauge', name, value, labels).value = value;
    this.#lookAtClock();
  }

  observe(name: string, value: number, labels?: MetricLabels): void {
    this.#entry('observe', name, value, labels).values?.push(value);
    this.#values += 1;
    this.#lookAtClock();
  }

  flush(): void {
    if (this.#entries.size === 0) return;
    const entries = [...this.#entries.values()].map(({ kind, name, labels, value, values }) => [
      kind,
      name,
      labels,
      values ?? value,
    ]);
    this.#entries.clear();
    this.#values = 0;
    this.#since = 0;
    this.send(entries);
  }

  #entry(kind: WorkerMetricKind, name: string, value: number, given?: MetricLabels): Entry {
    if (!Number.isFinite(value)) throw new RangeError(`metric '${name}': ${String(value)} is not a finite number`);
    const labels = textsOf(given);
    const key = `${kind} ${name} ${labels === null ? '' : JSON.stringify(labels)}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { kind, name: String(name), labels, value: 0, values: kind === 'observe' ? [] : undefined };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #lookAtClock(): void {
    const now = performance.now();
    if (this.#since === 0) this.#since = now;
    if (now - this.#since > WAIT_MS || this.#entries.size + this.#values > MAX_ENTRIES) this.flush();
  }
}

/** @throws RangeError for a name that is the library's own */
export function checkEventName(name: string): void {
  if (!String(name).startsWith(RESERVED_EVENT_PREFIX)) return;
  throw new RangeError(
    `events named ${RESERVED_EVENT_PREFIX}… are the library's own; choose another name than '${name}'`,
  );
}

function textsOf(labels: MetricLabels | undefined): Readonly<Record<string, string>> | null {
  if (labels === undefined) return null;
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]));
}
