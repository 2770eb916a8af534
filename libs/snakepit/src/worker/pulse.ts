/** What one look at a worker's heartbeat calls for. */
export type PulseDecision = 'nothing' | 'ping' | 'frozen';

export interface PulseReading {
  readonly nowMs: number;
  /** When the worker's last bytes arrived. */
  readonly lastHeardAt: number;
  /** Whether the worker can answer at present: not while it starts, nor while a handler blocks its only thread. */
  readonly canAnswer: boolean;
}

/**
 * Watches one worker's heartbeat: asks after a silence of `intervalMs`, and calls it frozen when a question stays without any
 * sign of life for `timeoutMs`.
 *
 * Time counts only while it is looked at: a host that was blocked itself finds its workers silent too, so no single look may
 * account for more than two intervals.
 */
export class Pulse {
  #askedForMs: number | undefined;
  #lastLookAt: number | undefined;

  constructor(
    private readonly intervalMs: number,
    private readonly timeoutMs: number,
  ) {}

  look(reading: PulseReading): PulseDecision {
    const { nowMs, lastHeardAt, canAnswer } = reading;
    const sinceLook = Math.min(nowMs - (this.#lastLookAt ?? nowMs), 2 * this.intervalMs);
    // What was heard in the very millisecond of the last look came after it: that look asked because of the silence before.
    const heardSinceLook = lastHeardAt >= (this.#lastLookAt ?? -Infinity);
    this.#lastLookAt = nowMs;
    if (heardSinceLook || !canAnswer) this.#askedForMs = undefined;
    if (!canAnswer) return 'nothing';
    if (this.#askedForMs !== undefined) {
      this.#askedForMs += sinceLook;
      return this.#askedForMs >= this.timeoutMs ? 'frozen' : 'nothing';
    }
    if (nowMs - lastHeardAt < this.intervalMs) return 'nothing';
    this.#askedForMs = 0;
    return 'ping';
  }
}
