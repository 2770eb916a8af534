import type { CommandProfile } from './command-profile.js';
import type { DrainRate } from './drain-rate.js';
import { PRIORITIES, WaitQueue, type Priority, type Waiting } from './wait-queue.js';

/** A call that waits, as far as its place in the queue goes. */
export interface WaitingCall extends Waiting {
  readonly profile: CommandProfile;
  readonly admittedAt: number;
}

/**
 * Waiting calls in three queues, so that a slow call at the head, which needs a worker for itself, holds up neither the fast ones behind it
 * nor those that run beside others.
 */
export class Backlog<Call extends WaitingCall> {
  readonly #fast = new WaitQueue<Call>();
  readonly #shared = new WaitQueue<Call>();
  readonly #other = new WaitQueue<Call>();
  readonly #queues = [this.#fast, this.#shared, this.#other] as const;

  get size(): number {
    return this.#fast.size + this.#shared.size + this.#other.size;
  }

  push(call: Call): void {
    this.#queueOf(call).push(call);
  }

  pushFront(call: Call): void {
    this.#queueOf(call).pushFront(call);
  }

  static remove(call: WaitingCall): void {
    call.queue?.remove(call);
  }

  /**
   * Offers calls, the oldest of the highest priority first, until `take` takes no more; a call it takes must leave the
   * backlog. A call that is not taken holds up the others of its queue, be they of its priority or of a lower one.
   */
  drainInto(take: (call: Call) => boolean): void {
    let isFastHeld = false;
    let isSharedHeld = false;
    let isOtherHeld = false;
    for (const priority of PRIORITIES) {
      const fastBand = this.#fast.band(priority);
      const sharedBand = this.#shared.band(priority);
      const otherBand = this.#other.band(priority);
      for (;;) {
        const fast = isFastHeld ? undefined : fastBand.head;
        const shared = isSharedHeld ? undefined : sharedBand.head;
        const other = isOtherHeld ? undefined : otherBand.head;
        const next = older(older(fast, shared), other);
        if (next === undefined) break;
        if (take(next)) continue;
        if (next === fast) isFastHeld = true;
        else if (next === shared) isSharedHeld = true;
        else isOtherHeld = true;
      }
    }
  }

  /** Whether a call like this one would stand behind others: of its pace, and of its priority or a higher one. */
  hasBefore(call: Call): boolean {
    const queue = this.#queueOf(call);
    for (const priority of PRIORITIES) {
      if (queue.peek(priority) !== undefined) return true;
      if (priority === call.priority) return false;
    }
    return false;
  }

  /** How many calls one like this would stand behind; see {@link hasBefore}. */
  countBefore(call: Call): number {
    const queue = this.#queueOf(call);
    let count = 0;
    for (const priority of PRIORITIES) {
      count += queue.band(priority).size;
      if (priority === call.priority) break;
    }
    return count;
  }

  /** How fast calls of this one's pace get their turn. */
  rateFor(call: Call): DrainRate {
    return this.#queueOf(call).rate;
  }

  /** The calls of one priority, the younger ones first. */
  *fromLast(priority: Priority): IterableIterator<Call> {
    const tails = this.#queues.map((queue) => queue.band(priority).tail);
    for (;;) {
      const next = tails.reduce(younger, undefined);
      if (next === undefined) return;
      tails[tails.indexOf(next)] = next.before as Call | undefined;
      yield next;
    }
  }

  /** The call whose turn it is: the oldest of the highest priority. */
  first(): Call | undefined {
    for (const priority of PRIORITIES) {
      const first = older(older(this.#fast.peek(priority), this.#shared.peek(priority)), this.#other.peek(priority));
      if (first !== undefined) return first;
    }
    return undefined;
  }

  /** When the call that has waited longest was admitted, whatever its priority; undefined when none waits. */
  get oldestAdmittedAt(): number | undefined {
    const heads = PRIORITIES.flatMap((priority) => this.#queues.map((queue) => queue.peek(priority)));
    const times = heads.flatMap((call) => call?.admittedAt ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Puts each call into the queue it belongs to, now that what is known of a command has changed. */
  refile(): void {
    for (const { rate } of this.#queues) rate.restart();
    for (const call of this.calls().toSorted((a, b) => a.admittedAt - b.admittedAt)) {
      Backlog.remove(call);
      this.push(call);
    }
  }

  /** All calls, in no order that matters. */
  calls(): Call[] {
    return this.#queues.flatMap((queue) => [...queue]);
  }

  #queueOf(call: Call): WaitQueue<Call> {
    const { pace, isShared } = call.profile;
    if (pace === 'fast') return this.#fast;
    return isShared ? this.#shared : this.#other;
  }
}

function older<Call extends WaitingCall>(a: Call | undefined, b: Call | undefined): Call | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.admittedAt <= b.admittedAt ? a : b;
}

function younger<Call extends WaitingCall>(a: Call | undefined, b: Call | undefined): Call | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.admittedAt <= b.admittedAt ? b : a;
}

/** Whether a call's turn comes before that of another: by priority, then by age. */
export function precedes(a: WaitingCall, b: WaitingCall): boolean {
  if (a.priority !== b.priority) return PRIORITIES.indexOf(a.priority) < PRIORITIES.indexOf(b.priority);
  return a.admittedAt < b.admittedAt;
}
