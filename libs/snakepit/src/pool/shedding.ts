import type { CommandProfile } from './command-profile.js';

/** From the host to a worker and back, and what the hand-out of a bunch takes. */
const TRIP_MS = 2;
/** Calls are refused only where the queue would have to go this much faster than it does. */
const DOUBT = 1.5;

/** A call that would have to wait. */
export interface Newcomer {
  /** Calls before it: of its pace, and of its priority or a higher one. */
  readonly ahead: number;
  /** What the queue hands out; undefined while it is not known. */
  readonly perMs: number | undefined;
  /** How long the call that left the queue last had waited. */
  readonly lastWaitMs: number;
  /** How long it may wait. */
  readonly mayWaitMs: number;
}

/**
 * Whether a new call would certainly wait in vain: even if the queue went half as fast again, it would not have its turn in time. That calls
 * do wait for long has to be seen before it is believed.
 */
export function wouldWaitInVain({ ahead, perMs, lastWaitMs, mayWaitMs }: Newcomer): boolean {
  if (perMs === undefined || lastWaitMs * DOUBT < mayWaitMs) return false;
  return ahead > perMs * DOUBT * mayWaitMs;
}

/**
 * In how long a queue is through with the calls that are in it now: by how fast it goes, or else by how long such calls take;
 * undefined where neither is known.
 */
export function untilRoomMs(queue: {
  readonly ahead: number;
  readonly perMs: number | undefined;
  readonly meanMs: number;
  readonly workers: number;
}): number | undefined {
  const { ahead, perMs, meanMs, workers } = queue;
  if (perMs !== undefined) return Math.ceil(ahead / perMs);
  // Those that the workers have are not through either.
  return meanMs === 0 || workers === 0 ? undefined : Math.ceil(((ahead + 1) * meanMs) / workers);
}

/**
 * The least time that a call must have left so that giving it a worker is better than giving it to the next. A call of a command that
 * takes less than half of `timeoutMs` is never given up before half of its time is over, whatever is believed of the command.
 */
export function neededMs({ pace, duration }: CommandProfile, timeoutMs: number): number {
  if (pace === 'fast') return Math.min(TRIP_MS, timeoutMs / 2);
  const { meanMs, mostMs } = duration;
  const likely = Math.min(mostMs, timeoutMs / 2);
  const least = Math.min(meanMs, timeoutMs * 0.9);
  return Math.max(likely, least, Math.min(TRIP_MS, timeoutMs / 2));
}
