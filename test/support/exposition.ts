/** What a page of metrics in Prometheus' text format says. */
export class Exposition {
  readonly types = new Map<string, string>();
  readonly samples: { readonly name: string; readonly labels: Record<string, string>; readonly value: number }[] = [];

  /** @throws Error for a line that Prometheus would not take */
  constructor(text: string) {
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const type = /^# TYPE (\w+) (counter|gauge|histogram|summary)$/.exec(line);
      if (type !== null) this.types.set(type[1]!, type[2]!);
      else if (!line.startsWith('# HELP ')) this.#addSample(line);
    }
  }

  /** The sum of what has these labels; undefined without any. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.find(name, labels);
    return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
  }

  find(name: string, labels: Readonly<Record<string, string>> = {}): Exposition['samples'] {
    const isMeant = (sample: Exposition['samples'][number]): boolean =>
      sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value);
    return this.samples.filter(isMeant);
  }

  /** Every value that a label has in any line. */
  labelValues(label: string): Set<string> {
    return new Set(this.samples.flatMap(({ labels }) => labels[label] ?? []));
  }

  #addSample(line: string): void {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    const value = Number(match?.[3]?.replace('Nan', 'NaN').replace('+Inf', 'Infinity'));
    if (match === null || Number.isNaN(value)) throw new Error(`no line of an exposition: ${line}`);
    const labels: Record<string, string> = {};
    for (const [, name, text] of (match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)/g)) {
      labels[name!] = text!.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
    }
    this.samples.push({ name: match[1]!, labels, value });
  }
}
