import type { CommandProfile } from './command-profile.js';

export interface SchedulerSettings {
  /** Most calls in one worker's hands. */
  readonly window: number;
  /** Most slow calls in one worker's hands, where they run side by side. */
  readonly concurrency: number;
}

/** A worker that has had calls in hand for this long without finishing one gets nothing more. */
const STALL_MS = 5;
/** For how long after a fast call one worker is kept free of slow ones; rarer fast calls than that are no traffic. */
export const FAST_LANE_MS = 100;

/** What the scheduler knows of one worker. */
export class Lane {
  inFlight = 0;
  /** How many of those are slow, or of unknown pace, and keep the worker from running others; one at most, nested calls apart. */
  exclusive = 0;
  /** How many of those are slow, or of unknown pace, and run beside whatever else the worker runs. */
  shared = 0;
  /** Estimated microseconds of fast work in hand. */
  aheadUs = 0;
  /** When it last finished a call that others may lie behind, or was given one before which there was none. */
  progressAt = -Infinity;
  /** False while its channel has no room. */
  hasRoom = true;
  /** A slow call waits until it has no fast ones; until then nothing is put behind those. */
  isClaimed = false;
  /** Calls in hand that wait for a tool and keep the worker from running anything else meanwhile. */
  blocked = 0;
  /** Calls in hand that wait for a tool while the worker is free to run others. */
  resting = 0;

  constructor(
    readonly workerId: string,
    readonly maxInFlight: number,
    /** Estimated work, in microseconds, that may lie before a call in its worker. */
    readonly pipelineBudgetUs: number,
    /** Started for nested calls only, while other workers are held by calls that wait for these. */
    readonly isLent = false,
  ) {}

  /** How many calls in hand are fast. */
  get fast(): number {
    return this.inFlight - this.exclusive - this.shared;
  }

  /** Whether nothing in hand keeps it from running a call that needs it for itself. */
  get isOpen(): boolean {
    return this.inFlight === this.shared;
  }
}

/**
 * Decides which worker takes a call; knows no process, no clock and no queue.
 *
 * Depth is what makes small calls fast, and what makes a slow call block those behind it; so only calls known to be short are
 * put behind others, and only as far as the estimated wait stays small. Slow and unknown ones go to idle workers; while
 * there is fast traffic one worker is kept free of them. Where fast calls are so many that no worker is ever idle, one is
 * claimed for the slow call whose turn it is: it runs empty first.
 *
 * All of that is about calls that keep their worker busy. Those that {@link CommandProfile.isShared share} it, such as asynchronous ones, only take up
 * one of its places: neither fast calls nor a single one that needs the worker for itself have to wait for them.
 */
export class Scheduler<Place extends Lane = Lane> {
  readonly #lanes: Place[] = [];
  readonly #lent: Place[] = [];
  #exclusiveLanes = 0;
  #lastFastAt = -Infinity;

  constructor(private readonly settings: SchedulerSettings) {}

  /** The pool's own; {@link lent} ones are apart. */
  get lanes(): readonly Place[] {
    return this.#lanes;
  }

  get lent(): readonly Place[] {
    return this.#lent;
  }

  /** Whether no worker can do anything before a tool has answered. */
  get isBlocked(): boolean {
    const isHeld = (lane: Lane): boolean => lane.blocked > 0;
    return this.#lanes.length > 0 && this.#lanes.every(isHeld) && this.#lent.every(isHeld);
  }

  add(lane: Place): void {
    (lane.isLent ? this.#lent : this.#lanes).push(lane);
  }

  remove(lane: Place): void {
    const lanes = lane.isLent ? this.#lent : this.#lanes;
    const index = lanes.indexOf(lane);
    if (index < 0) return;
    lanes.splice(index, 1);
    if (lane.exclusive > 0 && !lane.isLent) this.#exclusiveLanes -= 1;
  }

  /** Whether fast calls come at present, so that one worker is kept for them. */
  hasFastTraffic(nowMs: number): boolean {
    return this.keptFreeForMs(nowMs) > 0;
  }

  /** For how long one worker is kept for fast calls, should no more of them come; 0 when none is. */
  keptFreeForMs(nowMs: number): number {
    return Math.max(0, this.#lastFastAt + FAST_LANE_MS - nowMs);
  }

  /** The worker that takes a call of this profile now; undefined when the call has to wait. */
  pick(profile: CommandProfile, nowMs: number): Place | undefined {
    if (profile.pace === 'fast') this.#lastFastAt = nowMs;
    let best: Place | undefined;
    for (const lane of this.#lanes) {
      if (!this.canTake(lane, profile, nowMs)) continue;
      if (lane.inFlight === 0) return lane;
      if (best === undefined || loadOf(lane, profile) < loadOf(best, profile)) best = lane;
    }
    return best;
  }

  /** Whether this very worker can take a call of this profile now. */
  canTake(lane: Lane, profile: CommandProfile, nowMs: number): boolean {
    if (!lane.hasRoom || lane.inFlight >= lane.maxInFlight || lane.blocked > 0) return false;
    if (profile.pace !== 'fast') return this.#hasPlace(lane) && (profile.isShared || this.#canHold(lane, nowMs));
    if (lane.isOpen) return true;
    return (
      lane.exclusive === 0 &&
      !lane.isClaimed &&
      lane.fast < this.settings.window &&
      lane.aheadUs + profile.estimateUs <= lane.pipelineBudgetUs &&
      nowMs - lane.progressAt <= STALL_MS
    );
  }

  #hasPlace({ exclusive, shared }: Lane): boolean {
    return exclusive + shared < this.settings.concurrency;
  }

  /** Whether a call may have the worker to itself, those apart that share it. */
  #canHold(lane: Lane, nowMs: number): boolean {
    return lane.isOpen && this.#mayHoldAnother(nowMs);
  }

  /** Whether slow calls may hold one more worker. */
  #mayHoldAnother(nowMs: number): boolean {
    const keepOneFree = this.#lanes.length > 1 && this.hasFastTraffic(nowMs);
    return !keepOneFree || this.#exclusiveLanes < this.#lanes.length - 1;
  }

  /**
   * The worker that takes a nested call now: an idle one, else one all of whose calls rest in tools or leave it a place of its own, else a
   * lent one. Never is it put behind a call that may yet wait for it.
   */
  pickNested(profile: CommandProfile, mayUseLent = true): Place | undefined {
    let best: Place | undefined;
    for (const lane of this.#lanes) {
      if (!this.canTakeNested(lane, profile)) continue;
      if (lane.inFlight === 0) return lane;
      if (best === undefined || lane.inFlight < best.inFlight) best = lane;
    }
    return best ?? (mayUseLent ? this.#lent.find((lane) => this.canTakeNested(lane, profile)) : undefined);
  }

  /** Whether this very worker can take a nested call now. */
  canTakeNested(lane: Lane, profile: CommandProfile): boolean {
    const { hasRoom, inFlight, maxInFlight, blocked, resting } = lane;
    if (!hasRoom || blocked > 0 || inFlight >= maxInFlight) return false;
    return inFlight === resting || (inFlight < this.settings.concurrency && (profile.isShared || lane.isOpen));
  }

  /**
   * Lets a worker run empty for a slow call that waits: this one, or else the one that will be idle soonest. Idle, it is
   * anybody's, so that nothing has to be undone when the call that waited goes away.
   */
  claim(nowMs: number, lane = this.#idleSoonest()): void {
    if (lane === undefined || lane.isOpen || lane.exclusive > 0) return;
    if (this.#mayHoldAnother(nowMs)) lane.isClaimed = true;
  }

  /** The same for a nested call, which may hold the last worker as well. */
  claimForNested(): void {
    const lane = this.#idleSoonest();
    if (lane !== undefined && lane.inFlight > 0) lane.isClaimed = true;
  }

  #idleSoonest(): Lane | undefined {
    let soonest: Lane | undefined;
    for (const lane of this.#lanes) {
      if (lane.exclusive > 0 || lane.blocked > 0) continue;
      if (lane.isClaimed) return lane;
      if (soonest === undefined || lane.aheadUs < soonest.aheadUs) soonest = lane;
    }
    return soonest;
  }

  /** Books a call on a lane; returns the microseconds it was booked with, to be given back to {@link end}. */
  begin(lane: Lane, profile: CommandProfile, nowMs: number): number {
    if (lane.isOpen) {
      lane.progressAt = nowMs;
      lane.isClaimed = false;
    }
    lane.inFlight += 1;
    if (profile.pace !== 'fast') {
      if (profile.isShared) {
        lane.shared += 1;
        return SHARED;
      }
      if (lane.exclusive === 0 && !lane.isLent) this.#exclusiveLanes += 1;
      lane.exclusive += 1;
      return EXCLUSIVE;
    }
    // Not every fast call was picked a lane: a session's calls go to their own.
    this.#lastFastAt = nowMs;
    // A whole number takes no memory of its own in the call that keeps it.
    const bookedUs = Math.round(profile.estimateUs);
    lane.aheadUs += bookedUs;
    return bookedUs;
  }

  /** Takes a call off its lane, by what {@link begin} returned. */
  end(lane: Lane, bookedUs: number, nowMs: number): void {
    lane.inFlight -= 1;
    if (bookedUs === SHARED) {
      lane.shared -= 1;
      // What runs beside the others tells nothing of how these get on.
      if (lane.inFlight === 0) lane.progressAt = nowMs;
      return;
    }
    lane.progressAt = nowMs;
    if (bookedUs !== EXCLUSIVE) {
      lane.aheadUs = lane.isOpen ? 0 : Math.max(0, lane.aheadUs - bookedUs);
      return;
    }
    lane.exclusive -= 1;
    if (lane.exclusive === 0 && this.#lanes.includes(lane as Place)) this.#exclusiveLanes -= 1;
  }
}

/** What {@link Scheduler.begin} returns for a call behind which nothing is put. */
export const EXCLUSIVE = -1;
/** What it returns for a call that has a place beside others. */
export const SHARED = -2;

/** What stands in the way of a call like this one. */
function loadOf({ aheadUs, exclusive, shared }: Lane, { pace }: CommandProfile): number {
  return pace === 'fast' ? aheadUs : exclusive + shared;
}
