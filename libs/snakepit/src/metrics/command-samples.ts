import { samplesOf, type CommandMeter, type MetricName, type Sample } from '../telemetry/metrics/index.js';

export type SamplesByName = Record<MetricName, Sample[]>;

/** What is known of one command's calls. */
export function addCommandSamples(into: SamplesByName, meter: CommandMeter): void {
  const { pool, command, kind, succeeded, cancelled, failed, codes, chunks } = meter;
  const labels = { pool, command, kind };
  const outcomes = { ok: succeeded, error: failed, cancelled };
  for (const [outcome, value] of Object.entries(outcomes)) {
    into.calls_total.push({ labels: { ...labels, outcome }, value });
  }
  for (const [code, value] of codes) into.call_errors_total.push({ labels: { ...labels, code }, value });
  into.call_duration_seconds.push(...samplesOf(meter.duration, labels));
  into.call_queue_seconds.push(...samplesOf(meter.queue, labels));
  into.call_service_seconds.push(...samplesOf(meter.service, labels));
  if (kind === 'stream') into.stream_items_total.push({ labels: { pool, command }, value: chunks });
}
