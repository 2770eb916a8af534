import type { Clock, Timer } from '../core/index.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { RestartPolicy, type RestartSettings } from './restart-policy.js';
import type { Roster } from './roster.js';

/** Crashes at once that cost no delay, however small the pool is. */
const FREE_CRASHES = 3;

export interface RestartsParts {
  readonly settings: RestartSettings;
  readonly clock: Clock;
  readonly roster: Roster;
  /** How many workers there should be. */
  readonly size: () => number;
  /** Launches what is missing, less what is {@link Restarts.due}. */
  readonly fill: () => void;
  /** The restart budget is used up and no worker is ready. */
  readonly onExhausted: () => void;
}

/** Brings crashed workers back: at once, after a delay, or one at a time while the pool is down. */
export class Restarts {
  readonly #parts: RestartsParts;
  readonly #policy: RestartPolicy;
  readonly #breaker = new CircuitBreaker();
  readonly #timers = new Set<Timer>();
  #count = 0;

  constructor(parts: RestartsParts) {
    this.#parts = parts;
    this.#policy = new RestartPolicy(parts.settings);
  }

  /** How many crashed workers were restarted. */
  get count(): number {
    return this.#count;
  }

  /** Workers that wait for the time of their restart. */
  get due(): number {
    return this.#timers.size;
  }

  /** Workers that may yet become ready, and whose end would have them started again. */
  get tries(): number {
    return this.due + this.#parts.roster.startingCount;
  }

  /** Whether no worker can live at present: then one at a time is tried. */
  get isDown(): boolean {
    return this.#breaker.isOpen;
  }

  /** Whether the pool is down, or would be if the workers it has now were gone: crashes have outrun the restart budget. */
  get isExhausted(): boolean {
    return this.isDown || this.#policy.isExhausted(this.#parts.clock.now());
  }

  /** A worker has crashed: it is restarted when its time has come. */
  onCrash(): void {
    const { clock, roster, size, onExhausted } = this.#parts;
    const { delayMs, isExhausted } = this.#policy.onCrash(clock.now(), Math.max(FREE_CRASHES, size()));
    const { tries } = this;
    const decision = this.#breaker.onCrash(isExhausted, roster.readyCount, tries);
    if (decision === 'open') onExhausted();
    if (decision !== 'restart' && tries > 0) return;
    if (delayMs === 0) return this.atOnce();
    const timer = clock.after(delayMs, () => {
      this.#timers.delete(timer);
      this.atOnce();
    });
    this.#timers.add(timer);
  }

  /** Returns whether this ends an outage: then the others need not wait for their turn. */
  onReady(): boolean {
    return this.#breaker.onReady();
  }

  atOnce(): void {
    this.#count += 1;
    this.#parts.fill();
  }

  /** Launches what waits for its restart: what it crashed of may be gone. */
  allNow(): void {
    this.#count += this.#timers.size;
    this.stop();
    this.#parts.fill();
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
