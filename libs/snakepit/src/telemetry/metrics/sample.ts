import type { Histogram } from './histogram.js';

export type Labels = Readonly<Record<string, string>>;

/** One line of an exposition. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** What follows the metric's name: the lines of a histogram have one. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
}

/** A histogram as Prometheus has it: each bucket counts what is at most its bound. */
export function samplesOf({ bounds, counts, sum }: Histogram, labels: Labels): Sample[] {
  const samples: Sample[] = [];
  let total = 0;
  counts.forEach((count, at) => {
    total += count;
    const le = at < bounds.length ? String(bounds[at]) : '+Inf';
    samples.push({ labels: { ...labels, le }, value: total, suffix: '_bucket' });
  });
  samples.push({ labels, value: sum, suffix: '_sum' }, { labels, value: total, suffix: '_count' });
  return samples;
}
