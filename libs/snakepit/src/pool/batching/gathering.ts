import type { Timer } from '../../core/index.js';
import { WaitQueue, type Priority, type Waiting } from '../wait-queue.js';
import type { Companion } from './companions.js';
import type { GatheringState } from './departure.js';

/** A call that waits for others to leave with. */
export interface GatheredCall extends Waiting, Companion {
  readonly admittedAt: number;
}

/**
 * The waiting calls that may leave together: of one command, one priority, and one session or none.
 *
 * ```
 *   arrives ──▸ gathered ──▸ the pool's queue ──▸ a worker
 *                 │   its batch departs              ▴
 *                 └────── as company of another ─────┘
 * ```
 */
export class Gathering {
  /** Calls that wait for more to come. */
  readonly gathered = new WaitQueue<GatheredCall>();
  /** All calls that wait, those included, in the order of arrival. */
  readonly waiting = new Set<GatheredCall>();
  /** Batches that workers hold. */
  running = 0;
  /** When those that wait for more will have waited for long enough. */
  timer: Timer | undefined = undefined;

  constructor(
    /** Tells it from others of its command. */
    readonly key: string,
    readonly priority: Priority,
  ) {}

  get state(): GatheringState {
    const oldestAt = this.gathered.peek(this.priority)?.admittedAt ?? Infinity;
    return { gathered: this.gathered.size, oldestAt, running: this.running };
  }

  get isUnused(): boolean {
    return this.waiting.size === 0 && this.running === 0;
  }

  /** Lets a call wait for others. */
  gather(call: GatheredCall): void {
    this.gathered.push(call);
    this.waiting.add(call);
  }

  /** A call waits in the pool's queue once more. */
  onWaitsAgain(call: GatheredCall): void {
    this.waiting.add(call);
  }

  /** A call waits no more. */
  onLeft(call: GatheredCall): void {
    this.waiting.delete(call);
    if (this.gathered.size === 0) this.cancelTimer();
  }

  /** Lets no call wait for more to come; returns those that did, the oldest first. */
  takeGathered(): GatheredCall[] {
    const calls = [...this.gathered];
    for (const call of calls) this.gathered.remove(call);
    this.cancelTimer();
    return calls;
  }

  cancelTimer(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }
}
