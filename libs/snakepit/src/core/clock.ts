import { performance } from 'node:perf_hooks';

/** A timer that was started by a {@link Clock}. */
export interface Timer {
  cancel(): void;
  /** Lets the process end while this timer runs. */
  unref(): void;
}

/** Time as the library sees it; tests inject one they advance by hand. */
export interface Clock {
  /** Milliseconds on a clock that never goes back; the origin is arbitrary. */
  now(): number;
  /** Milliseconds since the Unix epoch, for records that people and other processes read. */
  wallTime(): number;
  /** Calls `fire` once after `delayMs`. */
  after(delayMs: number, fire: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(delayMs, fire) {
    const handle = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(handle), unref: () => void handle.unref() };
  },
};
