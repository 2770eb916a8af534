import type { CommandProfile } from './command-profile.js';

export interface SchedulerSettings {
  /** Most calls in one worker's hands. */
  readonly window: number;
  /** Most slow calls in one worker's hands. */
  readonly concurrency: number;
}

/** A worker that has had calls in hand for this long without finishing one gets nothing more. */
const STALL_MS = 5;
/** For how long after a fast call one worker is kept free of slow ones; rarer fast calls than that are no traffic. */
export const FAST_LANE_MS = 100;

/** What the scheduler knows of one worker. */
export class Lane {
  inFlight = 0;
  /** How many of those are slow, or of unknown pace. */
  exclusive = 0;
  /** Estimated microseconds of work in hand. */
  aheadUs = 0;
  /** When it last finished a call, or was given one while idle. */
  progressAt = -Infinity;
  /** False while its channel has no room. */
  hasRoom = true;
  /** A slow call waits for it to become idle; until then nothing is put behind what it has. */
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
}

/**
 * Decides which worker takes a call; knows no process, no clock and no queue.
 *
 * Depth is what makes small calls fast, and what makes a slow call block those behind it; so only calls known to be short are
 * put behind others, and only as far as the estimated wait stays small. Slow and unknown ones go to idle workers; while
 * there is fast traffic one worker is kept free of them. Where fast calls are so many that no worker is ever idle, one is
 * claimed for the slow call whose turn it is: it runs empty first.
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
      if (best === undefined || lane.aheadUs < best.aheadUs) best = lane;
    }
    return best;
  }

  /** Whether this very worker can take a call of this profile now. */
  canTake(lane: Lane, profile: CommandProfile, nowMs: number): boolean {
    if (!lane.hasRoom || lane.inFlight >= lane.maxInFlight || lane.blocked > 0) return false;
    if (profile.pace !== 'fast') return this.#canTakeExclusive(lane, nowMs);
    if (lane.inFlight === 0) return true;
    const { window } = this.settings;
    return (
      lane.exclusive === 0 &&
      !lane.isClaimed &&
      lane.inFlight < window &&
      lane.aheadUs + profile.estimateUs <= lane.pipelineBudgetUs &&
      nowMs - lane.progressAt <= STALL_MS
    );
  }

  #canTakeExclusive(lane: Lane, nowMs: number): boolean {
    if (lane.exclusive > 0) return lane.exclusive < this.settings.concurrency && lane.inFlight === lane.exclusive;
    return lane.inFlight === 0 && this.#mayHoldAnother(nowMs);
  }

  /** Whether slow calls may hold one more worker. */
  #mayHoldAnother(nowMs: number): boolean {
    const keepOneFree = this.#lanes.length > 1 && this.hasFastTraffic(nowMs);
    return !keepOneFree || this.#exclusiveLanes < this.#lanes.length - 1;
  }

  /**
   * The worker that takes a nested call now: an idle one, else one all of whose calls rest in tools, else a lent one. Never is it put
   * behind a call that may yet wait for it.
   */
  pickNested(mayUseLent = true): Place | undefined {
    let best: Place | undefined;
    for (const lane of this.#lanes) {
      if (!this.canTakeNested(lane)) continue;
      if (lane.inFlight === 0) return lane;
      if (best === undefined || lane.inFlight < best.inFlight) best = lane;
    }
    return best ?? (mayUseLent ? this.#lent.find((lane) => this.canTakeNested(lane)) : undefined);
  }

  /** Whether this very worker can take a nested call now. */
  canTakeNested({ hasRoom, inFlight, maxInFlight, blocked, resting }: Lane): boolean {
    return hasRoom && blocked === 0 && inFlight === resting && inFlight < maxInFlight;
  }

  /**
   * Lets a worker run empty for a slow call that waits: this one, or else the one that will be idle soonest. Idle, it is
   * anybody's, so that nothing has to be undone when the call that waited goes away.
   */
  claim(nowMs: number, lane = this.#idleSoonest()): void {
    if (lane === undefined || lane.inFlight === 0 || lane.exclusive > 0) return;
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
    if (lane.inFlight === 0) {
      lane.progressAt = nowMs;
      lane.isClaimed = false;
    }
    lane.inFlight += 1;
    if (profile.pace !== 'fast') {
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
    lane.progressAt = nowMs;
    if (bookedUs !== EXCLUSIVE) {
      lane.aheadUs = lane.inFlight === 0 ? 0 : Math.max(0, lane.aheadUs - bookedUs);
      return;
    }
    lane.exclusive -= 1;
    if (lane.exclusive === 0 && this.#lanes.includes(lane as Place)) this.#exclusiveLanes -= 1;
  }
}

/** What {@link Scheduler.begin} returns for a call that has its place in a worker to itself. */
export const EXCLUSIVE = -1;
