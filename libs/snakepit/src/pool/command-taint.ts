export interface TaintSettings {
  /** Deaths within the window that taint a command. */
  readonly deaths: number;
  readonly windowMs: number;
  /** How long a tainted command is refused before one call of it is let through; doubles each time that one kills too. */
  readonly probeAfterMs: number;
  readonly maxProbeAfterMs: number;
}

/** So many calls that their worker survived make up for one death: what kills less often is not what keeps a pool down. */
export const SURVIVALS_PER_DEATH = 20;

type TaintState =
  | { readonly kind: 'watched' }
  | { readonly kind: 'tainted'; readonly probeAt: number; readonly delayMs: number }
  | { readonly kind: 'probed'; readonly since: number; readonly delayMs: number };

/**
 * Whether a command that has killed workers may be given to another one.
 *
 * ```
 *   watched ── too many deaths ──▸ tainted ── after a delay, one call ──▸ probed ── its worker survives ──▸ watched
 *                                     ▴                                     │
 *                                     └────── its worker dies; twice ───────┘
 *                                              the delay
 * ```
 * A probe of which nothing is heard, since its caller left before a worker took it, is followed by another after the same delay.
 */
export class CommandTaint {
  #state: TaintState = { kind: 'watched' };
  /** Deaths that nothing has made up for, oldest first. */
  #deaths: number[] = [];
  #survivals = 0;
  /** How the last worker ended, for messages. */
  lastExit = '';

  constructor(private readonly settings: TaintSettings) {}

  get isTainted(): boolean {
    return this.#state.kind !== 'watched';
  }

  /** Deaths counted against the command at present. */
  get deaths(): number {
    return this.#deaths.length;
  }

  /** Nothing is held against the command any more: there is no need to go on watching. */
  get isClean(): boolean {
    return this.#state.kind === 'watched' && this.#deaths.length === 0;
  }

  /** How long no call is let through; 0 when the next one is. */
  waitMs(nowMs: number): number {
    const state = this.#state;
    switch (state.kind) {
      case 'watched':
        return 0;
      case 'tainted':
        return Math.max(0, state.probeAt - nowMs);
      case 'probed':
        return Math.max(0, state.since + state.delayMs - nowMs);
    }
  }

  /** 0 lets a call through, which is the probe when the command is tainted; else after how many milliseconds to ask again. */
  admit(nowMs: number): number {
    const waitMs = this.waitMs(nowMs);
    const state = this.#state;
    if (waitMs === 0 && state.kind !== 'watched') {
      this.#state = { kind: 'probed', since: nowMs, delayMs: state.delayMs };
    }
    return waitMs;
  }

  /** A worker died of the command. Returns whether the command is tainted by this death, or again. */
  onDeath(nowMs: number): boolean {
    const { deaths, windowMs, probeAfterMs, maxProbeAfterMs } = this.settings;
    const state = this.#state;
    this.#deaths = this.#deaths.filter((at) => at > nowMs - windowMs);
    this.#deaths.push(nowMs);
    this.#survivals = 0;
    if (state.kind === 'tainted' || (state.kind === 'watched' && this.#deaths.length < deaths)) return false;
    const delayMs = state.kind === 'watched' ? probeAfterMs : Math.min(maxProbeAfterMs, 2 * state.delayMs);
    this.#state = { kind: 'tainted', probeAt: nowMs + delayMs, delayMs };
    return true;
  }

  /** A worker answered a call of the command. Returns whether that cleared a tainted one. */
  onSurvival(): boolean {
    switch (this.#state.kind) {
      case 'probed':
        this.#state = { kind: 'watched' };
        this.#deaths = [];
        this.#survivals = 0;
        return true;
      case 'tainted':
        // Begun before the command was tainted; it says nothing of those that follow.
        return false;
      case 'watched':
        this.#survivals += 1;
        if (this.#survivals < SURVIVALS_PER_DEATH) return false;
        this.#survivals = 0;
        this.#deaths.shift();
        return false;
    }
  }
}
