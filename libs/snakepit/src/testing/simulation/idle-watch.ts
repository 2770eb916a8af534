import type { Clock } from '../../core/index.js';
import type { WorkerInfo } from '../../pool/pool-stats.js';
import type { CallRecord } from './call-record.js';
import type { Body } from './surroundings.js';
import { fail } from './violation.js';

/** For how long a worker may stay idle while calls wait: it is kept for fast ones that long after the last; and a timer has to notice. */
const KEPT_FREE_MS = 120;

/** Sees to it that nobody waits in front of a worker that has nothing to do. */
export class IdleWatch {
  /** By worker: since when it has been ready with empty hands and with room. */
  readonly #idleSince = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  /** It was given a call, or is through with one. */
  onBusy(worker: string): void {
    this.#idleSince.delete(worker);
  }

  onGone(worker: string): void {
    this.#idleSince.delete(worker);
  }

  check(workers: readonly WorkerInfo[], processes: Iterable<Body>, waiting: Iterable<CallRecord>): void {
    const now = this.clock.now();
    const full = new Set([...processes].filter(({ hasRoom }) => !hasRoom).map(({ id }) => id));
    for (const { id, state, inFlight } of workers) {
      if (state !== 'ready' || inFlight > 0 || full.has(id)) this.#idleSince.delete(id);
      else if (!this.#idleSince.has(id)) this.#idleSince.set(id, now);
    }
    const idle = [...this.#idleSince].find(([, since]) => now - since > KEPT_FREE_MS);
    if (idle === undefined) return;
    for (const call of waiting) {
      if (call.plan.session !== undefined || now - call.madeAt <= KEPT_FREE_MS) continue;
      fail(`call ${call.n} waits for ${Math.round(now - call.madeAt)} ms while ${idle[0]} is idle`);
    }
  }
}
