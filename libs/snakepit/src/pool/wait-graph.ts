import type { PoolCall } from './pool-call.js';
import type { Scheduler } from './scheduler.js';
import type { Seat } from './seat.js';
import type { ToolRuns } from './tool-runs.js';

export interface WaitGraphParts {
  readonly scheduler: Scheduler<Seat<PoolCall>>;
  readonly toolRuns: ToolRuns;
  /** The only worker that may take a call that waits; undefined where any may. */
  readonly homeOf: (call: PoolCall) => Seat<PoolCall> | undefined;
  /** Whether a call may go to a worker that is lent. */
  readonly mayUseLent: (call: PoolCall) => boolean;
  /** Whether another worker may be expected, lent ones apart or included. */
  readonly mayGrow: (withLent: boolean) => boolean;
}

/**
 * Who waits for whom, where tools call pools again:
 *
 * ```
 *   nested call ──waits for──▸ all workers ──held by──▸ calls ──wait for──▸ tools ──wait for──▸ nested calls
 * ```
 * A nested call is stuck when following these arrows never leads to anything that goes on by itself. The question passes through the
 * graphs of other pools where calls were made there.
 */
export class WaitGraph {
  readonly #parts: WaitGraphParts;

  constructor(parts: WaitGraphParts) {
    this.#parts = parts;
  }

  /** @param seen what the question has come through: to be led there again is no way out */
  isStuck(call: PoolCall, seen: Set<object>): boolean {
    const { seat, queue, isSettled } = call;
    if (isSettled) return false;
    if (seat === undefined) return queue !== undefined && this.#isWaitStuck(call, seen);
    const runs = this.#parts.toolRuns.of(call);
    if (runs !== undefined) return [...runs].every((run) => run.isStuck(seen));
    // Either it runs, or it lies behind a call that keeps its worker.
    return seat.blocked > 0 && this.#isSeatStuck(seat, seen);
  }

  #isWaitStuck(call: PoolCall, seen: Set<object>): boolean {
    const { scheduler, homeOf, mayUseLent, mayGrow } = this.#parts;
    const home = homeOf(call);
    if (home !== undefined) return this.#isSeatStuck(home, seen);
    if (seen.has(this)) return true;
    seen.add(this);
    const isHeld = (seat: Seat<PoolCall>): boolean => this.#isSeatStuck(seat, seen);
    const withLent = mayUseLent(call);
    if (scheduler.lanes.length === 0 || mayGrow(withLent)) return false;
    return scheduler.lanes.every(isHeld) && (!withLent || scheduler.lent.every(isHeld));
  }

  #isSeatStuck(seat: Seat<PoolCall>, seen: Set<object>): boolean {
    if (seen.has(seat)) return true;
    seen.add(seat);
    const inHand = seat.channel.callsInFlight() as readonly PoolCall[];
    const blocking = inHand.filter((call) => this.#blocks(call));
    if (blocking.length > 0) return blocking.every((call) => this.isStuck(call, seen));
    return inHand.length > 0 && inHand.every((call) => this.isStuck(call, seen));
  }

  #blocks(call: PoolCall): boolean {
    const runs = this.#parts.toolRuns.of(call);
    return runs !== undefined && [...runs].some((run) => run.blocks);
  }
}
