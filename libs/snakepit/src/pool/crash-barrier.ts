import { SnakepitError, type Clock, type LogSink } from '../core/index.js';
import { describeExit, type ExitCause } from '../worker/index.js';
import type { CommandProfile } from './command-profile.js';
import { CommandTaint, type TaintSettings } from './command-taint.js';
import { blame, mayBlameCommand } from './death-blame.js';

export interface CrashBarrierParts {
  readonly pool: string;
  readonly settings: TaintSettings & { readonly enabled: boolean };
  readonly clock: Clock;
  readonly log: LogSink;
}

/** A call as far as the barrier is concerned. */
export interface SuspectCall {
  readonly command: string;
  readonly profile: CommandProfile;
}

/** Keeps commands that keep killing workers away from the workers that are left. */
export class CrashBarrier {
  readonly #parts: CrashBarrierParts;

  constructor(parts: CrashBarrierParts) {
    this.#parts = parts;
  }

  /** Why the call must not be given to a worker now; undefined when it may. */
  refusal({ command, profile: { taint } }: SuspectCall): SnakepitError | undefined {
    if (taint === undefined) return undefined;
    const retryAfterMs = taint.waitMs(this.#parts.clock.now());
    return retryAfterMs === 0 ? undefined : this.#tainted(command, taint, retryAfterMs);
  }

  /** A worker has got the call, or it waits for one: of a tainted command it is the probe. */
  onTaken({ profile }: SuspectCall): void {
    profile.taint?.admit(this.#parts.clock.now());
  }

  /** A worker died with these calls in its hands. Returns the command that this has tainted, and the error for its calls. */
  onDeath(
    inHand: readonly SuspectCall[],
    cause: ExitCause,
  ): { profile: CommandProfile; error: () => SnakepitError } | undefined {
    const { settings, clock, log, pool } = this.#parts;
    if (!settings.enabled || !mayBlameCommand(cause)) return undefined;
    const verdict = blame(
      inHand.map(({ profile }) => profile),
      ({ taint }) => taint !== undefined && taint.deaths > 0,
    );
    if (verdict.kind === 'suspects') for (const profile of verdict.commands) profile.suspect();
    if (verdict.kind !== 'guilty') return undefined;
    const profile = verdict.command;
    const command = inHand.find((call) => call.profile === profile)?.command ?? '';
    const taint = (profile.taint ??= new CommandTaint(settings));
    const isTainted = taint.onDeath(clock.now());
    taint.lastExit = describeExit(cause);
    if (!isTainted) return undefined;
    const error = (): SnakepitError => this.#tainted(command, taint, taint.waitMs(clock.now()));
    log({ level: 'error', pool, message: error().message });
    return { profile, error };
  }

  /** A worker answered a call. To be called where the profile has a taint, and the call had begun. */
  onSurvival({ command, profile }: SuspectCall): void {
    const { taint } = profile;
    if (taint === undefined) return;
    const { log, pool } = this.#parts;
    if (taint.onSurvival()) log({ level: 'info', pool, message: `a worker survived '${command}'; it is taken again` });
    if (taint.isClean) profile.taint = undefined;
  }

  #tainted(command: string, { deaths, lastExit }: CommandTaint, retryAfterMs: number): SnakepitError {
    const { pool, settings } = this.#parts;
    const { windowMs } = settings;
    return new SnakepitError('COMMAND_TAINTED', {
      command,
      pool,
      deaths,
      windowMs,
      lastExit,
      retryAfterMs: Math.ceil(retryAfterMs),
    });
  }
}
