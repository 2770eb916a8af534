import { readProcessMemory, readProcessUsage, type Worker } from '../worker/index.js';
import type { Clock } from '../core/index.js';
import type { Autoscaler } from './autoscaler.js';
import type { CommandBook } from './command-book.js';
import type { Dispatcher } from './dispatcher.js';
import type { ResolvedPoolOptions } from './options.js';
import type { PoolLife } from './pool-life.js';
import type { PoolMemory, PoolStats, PoolStatus, ProcessMemoryInfo, WorkerInfo, WorkerUsage } from './pool-stats.js';
import type { Recycler } from './recycler.js';
import type { Supervisor } from './supervisor.js';

export interface PoolReportParts {
  readonly name: string;
  readonly options: Pick<ResolvedPoolOptions, 'autoscale'>;
  readonly clock: Clock;
  readonly life: PoolLife;
  readonly commands: CommandBook;
  readonly supervisor: Supervisor;
  readonly dispatcher: Dispatcher;
  readonly recycler: Recycler;
  readonly autoscaler: Autoscaler;
}

/** Tells how a pool is, out of what its parts know. */
export class PoolReport {
  readonly #parts: PoolReportParts;

  constructor(parts: PoolReportParts) {
    this.#parts = parts;
  }

  get status(): PoolStatus {
    const { life, supervisor, dispatcher, options } = this.#parts;
    const ready = dispatcher.lanes.length;
    if (!life.isOpen || ready === 0) return 'down';
    // Workers that load has called for are no less than whole while they start.
    const { autoscale } = options;
    const whole = autoscale === false ? supervisor.size : autoscale.min;
    return ready < whole ? 'degraded' : 'up';
  }

  workers(): WorkerInfo[] {
    const { clock, supervisor, dispatcher } = this.#parts;
    const now = clock.now();
    return [...supervisor.workers].map((worker) => {
      const { requests, errors, totalTimeUs } = dispatcher.countersOf(worker);
      const manifest = worker.channel?.manifest;
      return {
        id: worker.id,
        pid: worker.pid,
        state: worker.state.kind,
        inFlight: worker.channel?.inFlight ?? 0,
        requests,
        errors,
        totalTimeMs: totalTimeUs / 1_000,
        uptimeMs: now - worker.startedAt,
        language: manifest?.language,
        runtime: manifest?.runtime && `${manifest.runtime.name} ${manifest.runtime.version}`,
        codec: manifest?.codec,
      };
    });
  }

  stats(): PoolStats {
    const { name, commands, supervisor, dispatcher, recycler, autoscaler } = this.#parts;
    const { totals, lanes, lent, waiting, retrying, batching } = dispatcher;
    const { requests, succeeded, cancelled, errors, errorsByCode } = totals;
    const busy = lanes.filter((lane) => lane.inFlight > 0).length;
    return {
      pool: name,
      status: this.status,
      size: supervisor.size,
      workers: supervisor.workers.size,
      lent: supervisor.lentCount,
      available: lanes.length - busy,
      busy,
      queued: waiting,
      retrying,
      inFlight: [...lanes, ...lent].reduce((sum, lane) => sum + lane.inFlight, batching.passengers),
      requests,
      succeeded,
      cancelled,
      errors,
      errorsByCode: { ...errorsByCode },
      queueTimeouts: errorsByCode.QUEUE_TIMEOUT ?? 0,
      saturated: errorsByCode.POOL_SATURATED ?? 0,
      restarts: supervisor.restarts,
      recycled: { ...recycler.counts },
      batches: commands.batchStats(),
      scaled: { ...autoscaler.counts },
      sentBytes: supervisor.traffic.sentBytes,
      receivedBytes: supervisor.traffic.receivedBytes,
      pids: [...supervisor.workers].flatMap(({ pid }) => pid ?? []),
    };
  }

  async memory(): Promise<PoolMemory | undefined> {
    const all = await Promise.all(this.#parts.supervisor.processes.map(withMemory));
    const processes = all.filter((each) => each !== undefined);
    if (processes.length === 0) return undefined;
    return { pssBytes: processes.reduce((sum, { pssBytes }) => sum + pssBytes, 0), processes };
  }

  async usage(): Promise<WorkerUsage[]> {
    const all = await Promise.all([...this.#parts.supervisor.workers].map(withUsage));
    return all.filter((each) => each !== undefined);
  }
}

async function withUsage({ id, pid }: Worker): Promise<WorkerUsage | undefined> {
  const usage = pid === undefined ? undefined : await readProcessUsage(pid);
  return usage && { id, ...usage };
}

async function withMemory({ id, pid }: { id: string; pid: number }): Promise<ProcessMemoryInfo | undefined> {
  const memory = await readProcessMemory(pid);
  return memory && { id, pid, ...memory };
}
