import type { CallMeter, ErrorCode } from '../../core/index.js';
import { Histogram } from './histogram.js';

/** Counts the calls of one command in plain numbers, which a scrape reads. */
export class CommandMeter implements CallMeter {
  chunks = 0;
  succeeded = 0;
  cancelled = 0;
  failed = 0;
  readonly codes = new Map<ErrorCode, number>();
  readonly duration: Histogram;
  readonly queue: Histogram;
  readonly service: Histogram;

  constructor(
    readonly pool: string,
    readonly kind: 'call' | 'stream',
    /** Its name, or what stands for many. */
    readonly command: string,
    bounds: readonly number[],
  ) {
    this.duration = new Histogram(bounds);
    this.queue = new Histogram(bounds);
    this.service = new Histogram(bounds);
  }

  onServed(serviceUs: number): void {
    this.service.observe(serviceUs / 1e6);
  }

  onSucceeded(queuedMs: number, durationMs: number): void {
    this.succeeded += 1;
    this.queue.observe(queuedMs / 1e3);
    this.duration.observe(durationMs / 1e3);
  }

  onFailed(code: ErrorCode, queuedMs: number, durationMs: number): void {
    if (code === 'CANCELLED') this.cancelled += 1;
    else this.failed += 1;
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    this.queue.observe(queuedMs / 1e3);
    this.duration.observe(durationMs / 1e3);
  }
}
