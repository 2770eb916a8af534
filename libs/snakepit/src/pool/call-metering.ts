import type { CallMeter, Clock, SnakepitError } from '../core/index.js';
import type { PoolCall } from './pool-call.js';

/** On a descriptor, a worker can say of a service time only that it is this or more; then the host goes by what it saw. */
const MAX_TOLD_US = 0xffff;

/** Tells the meters of commands how their calls go; to be asked only for commands that have one. */
export class CallMetering {
  /** When the worker spoke whose answer is being settled: a call that succeeds costs no look at the clock. */
  #heardAt = 0;

  constructor(private readonly clock: Clock) {}

  /** A worker is through with the call; to be told before the outcome is. */
  onReleased(meter: CallMeter, call: PoolCall, heardAt: number, serviceUs: number, hasFailed: boolean): void {
    this.#heardAt = heardAt;
    // What failed in no time may not have begun.
    if (hasFailed && serviceUs === 0) return;
    // Only of a call that was tried once is it known since when.
    const isCapped = serviceUs >= MAX_TOLD_US && call.attempts === 1;
    meter.onServed(isCapped ? Math.max(serviceUs, (heardAt - call.startedAt!) * 1_000) : serviceUs);
  }

  /** The caller has its outcome; `error` is undefined when the call succeeded. */
  onSettled(meter: CallMeter, { admittedAt, startedAt }: PoolCall, error: SnakepitError | undefined): void {
    // Nothing but a worker's answer makes a call succeed, and it is that answer which is being settled.
    if (error === undefined) return meter.onSucceeded(startedAt! - admittedAt, this.#heardAt - admittedAt);
    const now = this.clock.now();
    meter.onFailed(error.code, (startedAt ?? now) - admittedAt, now - admittedAt);
  }
}
