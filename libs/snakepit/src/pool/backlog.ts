import type { PoolCall } from './pool-call.js';
import { PRIORITIES, WaitQueue } from './wait-queue.js';

/**
 * Waiting calls in two queues, so that a slow call at the head, which needs a worker for itself, does not hold up the fast
 * ones behind it.
 */
export class Backlog {
  readonly #fast = new WaitQueue<PoolCall>();
  readonly #other = new WaitQueue<PoolCall>();

  get size(): number {
    return this.#fast.size + this.#other.size;
  }

  push(call: PoolCall): void {
    this.#queueOf(call).push(call);
  }

  pushFront(call: PoolCall): void {
    this.#queueOf(call).pushFront(call);
  }

  static remove(call: PoolCall): void {
    call.queue?.remove(call);
  }

  /**
   * Offers calls, the oldest of the highest priority first, until `take` takes no more; a call it takes must leave the
   * backlog. A call that is not taken holds up the others of its queue and priority.
   */
  drainInto(take: (call: PoolCall) => boolean): void {
    for (const priority of PRIORITIES) {
      let isFastBlocked = false;
      let isOtherBlocked = false;
      while (!isFastBlocked || !isOtherBlocked) {
        const fast = isFastBlocked ? undefined : this.#fast.peek(priority);
        const other = isOtherBlocked ? undefined : this.#other.peek(priority);
        const next = older(fast, other);
        if (next === undefined) break;
        if (take(next)) continue;
        if (next === fast) isFastBlocked = true;
        else isOtherBlocked = true;
      }
    }
  }

  /** The call whose turn it is: the oldest of the highest priority. */
  first(): PoolCall | undefined {
    for (const priority of PRIORITIES) {
      const first = older(this.#fast.peek(priority), this.#other.peek(priority));
      if (first !== undefined) return first;
    }
    return undefined;
  }

  /** Puts each call into the queue it belongs to, now that a command has become fast or slow. */
  refile(): void {
    for (const call of this.calls().toSorted((a, b) => a.admittedAt - b.admittedAt)) {
      Backlog.remove(call);
      this.push(call);
    }
  }

  /** All calls, in no order that matters. */
  calls(): PoolCall[] {
    return [...this.#fast, ...this.#other];
  }

  #queueOf(call: PoolCall): WaitQueue<PoolCall> {
    return call.profile.pace === 'fast' ? this.#fast : this.#other;
  }
}

function older(a: PoolCall | undefined, b: PoolCall | undefined): PoolCall | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.admittedAt <= b.admittedAt ? a : b;
}
