import type { SnakepitError } from '../core/index.js';
import type { LeaveReason, Worker } from '../worker/index.js';
import type { Changes } from './changes.js';
import type { Roster } from './roster.js';

export interface ReplacingParts {
  readonly roster: Roster;
  readonly changes: Changes;
  readonly isClosed: () => boolean;
  readonly launch: () => Worker;
  readonly takeBack: (worker: Worker) => void;
  /** Retires workers that are too many, and launches those that are missing. */
  readonly balance: () => void;
  /** Why the latest worker did not start. */
  readonly startFailure: () => SnakepitError;
}

/** Puts fresh workers in the place of others, which stay until those are ready. */
export class Replacing {
  readonly #parts: ReplacingParts;
  #count = 0;

  constructor(parts: ReplacingParts) {
    this.#parts = parts;
  }

  /** How many workers are being replaced: from the launch of the replacement to the end of the old one. */
  get count(): number {
    return this.#count;
  }

  /** See {@link Supervisor.replace}. */
  async replace(worker: Worker, reason: LeaveReason): Promise<boolean> {
    const { roster, changes, isClosed, takeBack } = this.#parts;
    if (isClosed() || !roster.workers.has(worker) || roster.leaving.has(worker)) return false;
    // Its successor is lent when it is needed.
    if (roster.lent.has(worker)) {
      takeBack(worker);
      return false;
    }
    this.#count += 1;
    try {
      await this.#replace(worker, reason);
      return true;
    } finally {
      this.#count -= 1;
      changes.tell();
    }
  }

  async #replace(worker: Worker, reason: LeaveReason): Promise<void> {
    const { roster, changes, isClosed, launch, balance, startFailure } = this.#parts;
    roster.leaving.add(worker);
    const fresh = launch();
    roster.replacements.add(fresh);
    await changes.until(() => isClosed() || fresh.state.kind !== 'starting');
    // One that was retired while it started is no longer needed, and with it the old one is not.
    const isNeeded = roster.replacements.delete(fresh);
    if (isNeeded && fresh.state.kind === 'dead' && !isClosed()) {
      // The old one stays: a pool must not shrink because its new code does not start.
      roster.leaving.delete(worker);
      balance();
      throw startFailure();
    }
    worker.drain(reason);
    await changes.until(() => worker.state.kind === 'dead');
  }

  /**
   * Replaces these workers, `atOnce` at a time.
   *
   * @throws SnakepitError of the first replacement that does not start; those that were not yet replaced stay.
   */
  async replaceEach(workers: readonly Worker[], reason: LeaveReason, atOnce: number): Promise<void> {
    const { changes, isClosed } = this.#parts;
    const next = workers.values();
    let hasFailed = false;
    const replaceInTurn = async (): Promise<void> => {
      for (const worker of next) {
        // Others are replaced too, by recycling or by name; and whoever waits beside this may be faster.
        while (this.#count >= atOnce && !isClosed()) {
          await changes.until(() => isClosed() || this.#count < atOnce);
        }
        if (hasFailed) return;
        await this.replace(worker, reason);
      }
    };
    const turns = Array.from({ length: atOnce }, () =>
      replaceInTurn().catch((error: unknown) => {
        hasFailed = true;
        throw error;
      }),
    );
    const outcomes = await Promise.allSettled(turns);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}
