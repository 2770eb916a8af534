import type { Clock, Timer } from '../core/index.js';

/** The way to the end of one process: SIGTERM first, SIGKILL when that did not help. */
export class Termination {
  #next: Timer | undefined;
  #hasBegun = false;
  #isOver = false;
  readonly #sent = new Set<NodeJS.Signals>();

  constructor(
    private readonly clock: Clock,
    private readonly deliver: (signal: 'SIGTERM' | 'SIGKILL') => void,
  ) {}

  /** Whether it is from here that the process has got this signal. */
  hasSent(signal: NodeJS.Signals): boolean {
    return this.#sent.has(signal);
  }

  /** SIGTERM now and SIGKILL after `graceMs`, which asking again does not put off; 0 kills at once. */
  begin(graceMs: number): void {
    if (this.#isOver) return;
    if (graceMs === 0) return this.#send('SIGKILL');
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#next?.cancel();
    this.#send('SIGTERM');
    this.#next = this.clock.after(graceMs, () => this.#send('SIGKILL'));
  }

  beginAfter(delayMs: number, graceMs: number): void {
    if (this.#isOver || this.#next !== undefined) return;
    this.#next = this.clock.after(delayMs, () => this.begin(graceMs));
  }

  /** The process is gone; nothing is sent any more. */
  end(): void {
    this.#isOver = true;
    this.#next?.cancel();
  }

  #send(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#sent.add(signal);
    this.deliver(signal);
  }
}
