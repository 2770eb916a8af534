export interface RestartSettings {
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly windowMs: number;
  readonly budget: number;
}

export interface RestartDecision {
  readonly delayMs: number;
  /** More crashes than the budget allows: restarting goes on, but nobody should wait for it. */
  readonly isExhausted: boolean;
}

/**
 * When a crashed worker is restarted: at once as long as crashes are few, then after delays that double.
 *
 * `free` crashes within the window cost no delay: a whole pool that was killed at once comes back at once.
 */
export class RestartPolicy {
  #crashes: number[] = [];

  constructor(private readonly settings: RestartSettings) {}

  onCrash(nowMs: number, free: number): RestartDecision {
    const { initialDelayMs, maxDelayMs, budget } = this.settings;
    this.#forgetOld(nowMs);
    this.#crashes.push(nowMs);
    const delayed = this.#crashes.length - free;
    const delayMs = delayed <= 0 ? 0 : Math.min(maxDelayMs, initialDelayMs * 2 ** Math.min(delayed - 1, 30));
    return { delayMs, isExhausted: this.#crashes.length > budget };
  }

  isExhausted(nowMs: number): boolean {
    this.#forgetOld(nowMs);
    return this.#crashes.length > this.settings.budget;
  }

  #forgetOld(nowMs: number): void {
    const oldest = nowMs - this.settings.windowMs;
    if ((this.#crashes[0] ?? Infinity) < oldest) this.#crashes = this.#crashes.filter((at) => at >= oldest);
  }
}
