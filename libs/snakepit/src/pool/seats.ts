import type { Worker } from '../worker/index.js';
import type { ResolvedPoolOptions } from './options.js';
import type { PoolCall } from './pool-call.js';
import type { PoolLoad } from './pool-errors.js';
import { WorkerCounters } from './pool-stats.js';
import type { Lane, Scheduler } from './scheduler.js';
import { Seat } from './seat.js';

/** Which worker a session was last on; the session service keeps it. */
export interface SessionAffinity {
  lastWorkerOf(session: string): string | undefined;
  rememberWorker(session: string, workerId: string): void;
}

/** The workers that take calls. */
export class Seats {
  readonly #byWorker = new Map<string, Seat<PoolCall>>();
  readonly #counters = new WeakMap<Worker, WorkerCounters>();

  constructor(
    private readonly options: ResolvedPoolOptions,
    private readonly affinity: SessionAffinity,
    private readonly scheduler: Scheduler<Seat<PoolCall>>,
  ) {}

  [Symbol.iterator](): IterableIterator<Seat<PoolCall>> {
    return this.#byWorker.values();
  }

  add(worker: Worker, isLent: boolean): void {
    const channel = worker.channel;
    if (channel === undefined) throw new Error(`worker '${worker.id}' is ready without a channel`);
    const budgetUs = this.options.pipelineBudgetUs ?? channel.pipelineBudgetUs;
    const seat = new Seat<PoolCall>(worker, channel, budgetUs, isLent);
    // So that a worker which is lent, and not needed after all, does not leave at once.
    seat.progressAt = channel.lastHeardAt;
    this.#counters.set(worker, seat.counters);
    this.#byWorker.set(worker.id, seat);
    this.scheduler.add(seat);
  }

  /** Returns the seat that the worker had; it gets no more calls. */
  remove(worker: Worker): Seat<PoolCall> | undefined {
    const seat = this.#byWorker.get(worker.id);
    if (seat === undefined) return undefined;
    this.#byWorker.delete(worker.id);
    this.scheduler.remove(seat);
    return seat;
  }

  of(worker: Worker): Seat<PoolCall> | undefined {
    return this.#byWorker.get(worker.id);
  }

  /** The seat of the worker that the call's session was last on, if that worker still takes calls. */
  homeOf(call: PoolCall): Seat<PoolCall> | undefined {
    const { session } = call.settings;
    if (session === undefined) return undefined;
    const workerId = this.affinity.lastWorkerOf(session);
    return workerId === undefined ? undefined : this.#byWorker.get(workerId);
  }

  /** What the worker did, also after it has left. */
  countersOf(worker: Worker): WorkerCounters {
    return this.#counters.get(worker) ?? new WorkerCounters();
  }

  /** How many workers the calls in hand keep busy; one that could take more slow calls counts as a part of one. */
  get busyWorkers(): number {
    const { concurrency } = this.options;
    const share = ({ isOpen, shared, maxInFlight }: Lane): number =>
      isOpen ? shared / Math.min(concurrency, maxInFlight) : 1;
    return this.scheduler.lanes.reduce((sum, lane) => sum + share(lane), 0);
  }

  /** What a refused caller is told of the pool. */
  load(queued: number): PoolLoad {
    const { lanes } = this.scheduler;
    return { queued, busy: lanes.filter((lane) => lane.inFlight > 0).length, workers: lanes.length };
  }
}
