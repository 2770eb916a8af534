import type { Channel } from '../channel/index.js';
import type { Worker } from '../worker/index.js';
import { Backlog, type WaitingCall } from './backlog.js';
import { WorkerCounters } from './pool-stats.js';
import { Lane } from './scheduler.js';

/** A worker that takes calls: what the scheduler knows of it, and what the dispatcher needs to reach it. */
export class Seat<Call extends WaitingCall> extends Lane {
  readonly counters = new WorkerCounters();
  /** Calls that may run on this worker only: of sessions with strict affinity. */
  readonly pinned = new Backlog<Call>();

  constructor(
    readonly worker: Worker,
    readonly channel: Channel,
    pipelineBudgetUs: number,
    isLent = false,
  ) {
    super(worker.id, channel.maxInFlight, pipelineBudgetUs, isLent);
  }
}
