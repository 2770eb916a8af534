export interface QueueLimitSettings {
  readonly maxQueue: number;
  readonly maxQueueBytes: number;
}

/** An option that bounds what may wait. */
export type QueueLimit = keyof QueueLimitSettings;

/** Counts what waits, in calls and in bytes of their arguments. */
export class QueueLimits {
  #calls = 0;
  #bytes = 0;

  constructor(private readonly settings: QueueLimitSettings) {}

  get calls(): number {
    return this.#calls;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The limit that one more call would exceed; undefined when there is room for it. */
  exceededBy(bytes: number): QueueLimit | undefined {
    if (this.#calls >= this.settings.maxQueue) return 'maxQueue';
    return this.#bytes + bytes > this.settings.maxQueueBytes ? 'maxQueueBytes' : undefined;
  }

  add(bytes: number): void {
    this.#calls += 1;
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#calls -= 1;
    this.#bytes = this.#calls === 0 ? 0 : this.#bytes - bytes;
  }
}
