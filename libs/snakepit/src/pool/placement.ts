import { isSnakepitError, type DeadlineSweep, type SnakepitError } from '../core/index.js';
import type { ResolvedPoolOptions } from './options.js';
import type { PoolCall } from './pool-call.js';
import { invalidArguments, sessionWorkerUnavailable } from './pool-errors.js';
import type { Scheduler } from './scheduler.js';
import type { Seat } from './seat.js';
import type { Seats, SessionAffinity } from './seats.js';
import type { ToolRuns } from './tool-runs.js';

export interface PlacementParts {
  readonly name: string;
  readonly options: ResolvedPoolOptions;
  readonly affinity: SessionAffinity;
  readonly seats: Seats;
  readonly scheduler: Scheduler<Seat<PoolCall>>;
  readonly deadlines: DeadlineSweep;
  readonly toolRuns: ToolRuns;
  /** Fails a call that no worker holds. */
  readonly refuse: (call: PoolCall, error: SnakepitError) => void;
}

/** Puts calls into workers' hands, and takes them off again. */
export class Placement {
  readonly #parts: PlacementParts;
  readonly #seats: Seats;
  readonly #scheduler: Scheduler<Seat<PoolCall>>;

  constructor(parts: PlacementParts) {
    this.#parts = parts;
    this.#seats = parts.seats;
    this.#scheduler = parts.scheduler;
  }

  /** The seat that takes the call now; undefined when it has to wait, or was refused. */
  seatFor(call: PoolCall, now: number): Seat<PoolCall> | undefined {
    const home = this.#seats.homeOf(call);
    if (home === undefined) return this.#pick(call, now);
    if (this.canTake(home, call, now)) return home;
    const { options, name, refuse } = this.#parts;
    switch (options.affinity) {
      case 'hint':
        return this.#pick(call, now);
      case 'strict-queue':
        return undefined;
      case 'strict-fail-fast':
        refuse(call, sessionWorkerUnavailable(name, call, 'busy'));
        return undefined;
    }
  }

  #pick(call: PoolCall, now: number): Seat<PoolCall> | undefined {
    const { profile, settings } = call;
    if (settings.nesting === undefined) return this.#scheduler.pick(profile, now);
    return this.#scheduler.pickNested(profile, this.mayUseLent(call));
  }

  /** A lent worker does not stay: it must not become the only one that a session's calls may go to. */
  mayUseLent({ settings }: PoolCall): boolean {
    return settings.session === undefined || this.#parts.options.affinity === 'hint';
  }

  /** Whether this very worker can take the call now. */
  canTake(seat: Seat<PoolCall>, { profile, settings }: PoolCall, now: number): boolean {
    if (settings.nesting === undefined) return this.#scheduler.canTake(seat, profile, now);
    return this.#scheduler.canTakeNested(seat, profile);
  }

  /** Hands a call to a worker; false when it cannot be sent, which its caller then knows. */
  dispatch(call: PoolCall, seat: Seat<PoolCall>, now: number): boolean {
    try {
      call.channelId = seat.channel.send(call, now);
    } catch (error) {
      const { name, refuse } = this.#parts;
      refuse(call, isSnakepitError(error) ? error : invalidArguments(call.command, name, error));
      return false;
    }
    const { session } = call.settings;
    call.seat = seat;
    call.bookedUs = this.#scheduler.begin(seat, call.profile, now);
    call.startedAt ??= now;
    call.workerId = seat.workerId;
    call.attempts += 1;
    call.expiresAt = call.deadline;
    if (session !== undefined && !seat.isLent) this.#parts.affinity.rememberWorker(session, seat.workerId);
    return true;
  }

  /** Ends a call's time on its worker, which is returned. */
  takeOff(call: PoolCall, now: number): Seat<PoolCall> {
    const { seat } = call;
    if (seat === undefined) throw new Error(`'${call.command}' was ended by a worker that does not hold it`);
    this.#parts.toolRuns.end(call, 'its worker is through with it');
    call.seat = undefined;
    this.#scheduler.end(seat, call.bookedUs, now);
    this.#parts.deadlines.forget(call);
    return seat;
  }
}
