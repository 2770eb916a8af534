/** Something that goes wrong until it is cleared, or has gone wrong as often as it was to. */
export interface Fault {
  /** How often it has struck so far. */
  readonly hits: number;
  /** From now on it does not, and what it holds goes on. */
  clear(): void;
}

/** Which calls a fault strikes. */
export interface FaultScope {
  /** How many; by default one for faults that end a worker or a call, else all. */
  readonly times?: number;
}

/** A fault that waits for calls. */
export class CallFault implements Fault {
  hits = 0;
  #left: number;

  constructor(
    /** Undefined: any. */
    readonly command: string | undefined,
    times: number,
    private readonly onClear: () => void = () => {},
  ) {
    this.#left = times;
  }

  get isOver(): boolean {
    return this.#left <= 0;
  }

  /** Whether it strikes this call; it counts if it does. */
  strikes(command: string): boolean {
    if (this.isOver || (this.command !== undefined && this.command !== command)) return false;
    this.#left -= 1;
    this.hits += 1;
    return true;
  }

  clear(): void {
    this.#left = 0;
    this.onClear();
  }
}
