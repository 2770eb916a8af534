import type { Clock, Timer } from '../core/index.js';

/** How long after the first line that was dropped their number is told. */
const NOTICE_MS = 1_000;

/** Lets so many lines pass at once, and as many each second; the others are dropped, and their number is told. */
export class LogThrottle {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #tell: (dropped: number) => void;
  #room: number;
  #lookedAt: number;
  #dropped = 0;
  #notice: Timer | undefined;

  constructor(clock: Clock, perSecond: number, tell: (dropped: number) => void) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#tell = tell;
    this.#room = perSecond;
    this.#lookedAt = clock.now();
  }

  /** Whether a line may pass now. */
  admits(): boolean {
    const now = this.#clock.now();
    this.#room = Math.min(this.#perSecond, this.#room + ((now - this.#lookedAt) / 1_000) * this.#perSecond);
    this.#lookedAt = now;
    if (this.#room >= 1) {
      this.#room -= 1;
      return true;
    }
    this.#dropped += 1;
    this.#notice ??= this.#clock.after(NOTICE_MS, this.flush);
    return false;
  }

  /** Tells what was dropped and not told; to be called when no more lines come. */
  readonly flush = (): void => {
    this.#notice?.cancel();
    this.#notice = undefined;
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0) this.#tell(dropped);
  };
}
