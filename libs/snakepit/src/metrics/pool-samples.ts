import type { PoolService, PoolStats, WorkerInfo } from '../runtime/index.js';
import type { SamplesByName } from './command-samples.js';

const STATUSES: readonly PoolStats['status'][] = ['up', 'degraded', 'down'];
/** A dead worker is no worker any more. */
const STATES: readonly WorkerInfo['state'][] = ['starting', 'ready', 'draining'];
/** Scrapes of huge pools must stay cheap, and their series few. */
const MAX_WORKERS = 256;

/** What a pool is at this moment, and what has become of its workers. */
export function addPoolSamples(into: SamplesByName, stats: PoolStats, workers: readonly WorkerInfo[]): void {
  const { pool } = stats;
  const labels = { pool };
  into.calls_in_flight.push({ labels, value: stats.inFlight });
  into.calls_queued.push({ labels, value: stats.queued });
  into.calls_retrying.push({ labels, value: stats.retrying });
  into.sent_bytes_total.push({ labels, value: stats.sentBytes });
  into.received_bytes_total.push({ labels, value: stats.receivedBytes });
  for (const status of STATUSES) {
    into.pool_status.push({ labels: { pool, status }, value: Number(status === stats.status) });
  }
  into.pool_size.push({ labels, value: stats.size });
  for (const [reason, value] of Object.entries(stats.scaled)) {
    into.pool_scalings_total.push({ labels: { pool, reason }, value });
  }
  for (const state of STATES) {
    into.workers.push({ labels: { pool, state }, value: workers.filter((worker) => worker.state === state).length });
  }
  into.workers_busy.push({ labels, value: stats.busy });
  into.worker_restarts_total.push({ labels, value: stats.restarts });
  for (const [reason, value] of Object.entries(stats.recycled)) {
    into.worker_recycles_total.push({ labels: { pool, reason }, value });
  }
}

/** What each worker takes of the machine. */
export async function addUsageSamples(into: SamplesByName, pool: PoolService): Promise<void> {
  const usage = await pool.usage();
  for (const { id, rssBytes, cpuSeconds } of usage.slice(0, MAX_WORKERS)) {
    const labels = { pool: pool.name, worker: id };
    into.worker_resident_bytes.push({ labels, value: rssBytes });
    into.worker_cpu_seconds_total.push({ labels, value: cpuSeconds });
  }
}
