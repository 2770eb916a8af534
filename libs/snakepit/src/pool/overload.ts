import type { SnakepitError } from '../core/index.js';
import { sizeOfArguments } from './argument-size.js';
import type { Backlog } from './backlog.js';
import type { NestedBacklogs } from './nested-backlogs.js';
import type { ResolvedPoolOptions } from './options.js';
import type { PoolCall } from './pool-call.js';
import { queueTooLong, saturated, tooLate, type PoolLoad } from './pool-errors.js';
import type { QueueLimit, QueueLimits } from './queue-limits.js';
import type { Seats } from './seats.js';
import { neededMs, untilRoomMs, wouldWaitInVain } from './shedding.js';
import { PRIORITIES } from './wait-queue.js';

/** So many calls at most make room for one, and so many are looked at. */
const MOST_VICTIMS = 1_000;

export interface OverloadParts {
  readonly name: string;
  readonly options: ResolvedPoolOptions;
  readonly seats: Seats;
  readonly limits: QueueLimits;
  /** What waits for any worker, and all backlogs, that one included. */
  readonly backlog: Backlog<PoolCall>;
  /** Calls made inside tools that wait for any worker. */
  readonly nested: NestedBacklogs<PoolCall>;
  readonly backlogs: () => readonly Backlog<PoolCall>[];
  /** Fails a call that waits. */
  readonly refuse: (call: PoolCall, error: SnakepitError) => void;
}

/**
 * What a pool does with more calls than it can run: it refuses those that find no room, or would wait in vain, and gives up those whose
 * turn comes too late, so that its workers run what is still of use.
 */
export class Overload {
  readonly #parts: OverloadParts;

  constructor(parts: OverloadParts) {
    this.#parts = parts;
  }

  /** Why a call must not wait; undefined when it may, which calls of lower priority may have made room for. */
  refusal(call: PoolCall, forAny: boolean, now: number): SnakepitError | undefined {
    if (call.settings.nesting !== undefined) return this.#noRoomForNested(call, now);
    return (forAny ? this.#inVain(call, now) : undefined) ?? this.#noRoom(call, now);
  }

  /** A worker is held for it: it does not share the fate of those that only wait. */
  #noRoomForNested(call: PoolCall, now: number): SnakepitError | undefined {
    const { name, options, nested } = this.#parts;
    call.queuedBytes = sizeOfArguments(call.args);
    const { maxQueue } = options.nested;
    if (nested.size < maxQueue) return undefined;
    return saturated(
      name,
      { maxQueue },
      this.load(call, now),
      `with calls made inside tools, whose 'maxQueue' is in 'nested'`,
    );
  }

  /** Why a call whose turn it is must not have it: others wait that can make more of the worker. */
  tooLate(call: PoolCall, now: number): SnakepitError | undefined {
    const { options, name, backlog } = this.#parts;
    if (!options.shedding || backlog.size < 2) return undefined;
    const leftMs = call.deadline - now;
    const needed = neededMs(call.profile, call.timeoutMs);
    if (leftMs >= needed || backlog.rateFor(call).perMs(now) === undefined) return undefined;
    return tooLate(name, call, { waitedMs: now - call.admittedAt, leftMs, neededMs: needed }, this.load(call, now));
  }

  #inVain(call: PoolCall, now: number): SnakepitError | undefined {
    const { options, name, backlog } = this.#parts;
    if (!options.shedding) return undefined;
    const rate = backlog.rateFor(call);
    const perMs = rate.perMs(now);
    if (perMs === undefined) return undefined;
    const ahead = backlog.countBefore(call);
    const mayWaitMs = call.expiresAt - now;
    if (!wouldWaitInVain({ ahead, perMs, mayWaitMs, lastWaitMs: rate.lastWaitMs })) return undefined;
    const option = call.expiresAt < call.deadline ? 'queueTimeoutMs' : 'timeoutMs';
    return queueTooLong(name, { waitMs: ahead / perMs, mayWaitMs, option }, this.load(call, now));
  }

  #noRoom(call: PoolCall, now: number): SnakepitError | undefined {
    call.queuedBytes = sizeOfArguments(call.args);
    const limit = this.#parts.limits.exceededBy(call.queuedBytes);
    if (limit === undefined) return undefined;
    const victims = this.#victims(call);
    const load = this.load(call, now);
    if (victims === undefined) return this.#full(limit, load);
    for (const victim of victims)
      this.#parts.refuse(victim, this.#full(limit, load, 'a call of higher priority took its place'));
    return undefined;
  }

  /** Calls of lower priority that make room for one, the last ones first; undefined where they are not enough. */
  #victims(call: PoolCall): PoolCall[] | undefined {
    const { options, limits } = this.#parts;
    const victims: PoolCall[] = [];
    let calls = limits.calls + 1 - options.maxQueue;
    let bytes = limits.bytes + call.queuedBytes - options.maxQueueBytes;
    for (const each of this.#lowerThan(call)) {
      victims.push(each);
      calls -= 1;
      bytes -= each.queuedBytes;
      if (calls <= 0 && bytes <= 0) return victims;
      if (victims.length === MOST_VICTIMS) return undefined;
    }
    return undefined;
  }

  *#lowerThan({ priority }: PoolCall): IterableIterator<PoolCall> {
    for (let rank = PRIORITIES.length - 1; PRIORITIES[rank] !== priority; rank -= 1) {
      for (const backlog of this.#parts.backlogs()) yield* backlog.fromLast(PRIORITIES[rank]!);
    }
  }

  #full(limit: QueueLimit, load: PoolLoad, reason?: string): SnakepitError {
    const { name, options, limits } = this.#parts;
    const queuedBytes = Math.ceil(limits.bytes);
    const { maxQueue, maxQueueBytes } = options;
    return saturated(name, limit === 'maxQueue' ? { maxQueue } : { maxQueueBytes, queuedBytes }, load, reason);
  }

  /** What is to be told of the pool where it has no worker for a call in time. */
  load(call: PoolCall, now: number): PoolLoad {
    const { seats, limits, backlog } = this.#parts;
    const load = seats.load(limits.calls);
    const ahead = backlog.countBefore(call);
    const perMs = backlog.rateFor(call).perMs(now);
    const retryAfterMs = untilRoomMs({ ahead, perMs, meanMs: call.profile.duration.meanMs, workers: load.workers });
    return retryAfterMs === undefined ? load : { ...load, retryAfterMs };
  }
}
