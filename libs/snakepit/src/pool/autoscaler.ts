import { availableParallelism } from 'node:os';

import { publish, SnakepitError, type Clock, type LogSink, type Timer } from '../core/index.js';
import { fairThreads } from '../worker/index.js';
import type { ResolvedPoolOptions } from './options.js';
import { ScalePolicy, type LoadSample, type ScaleDecision, type ScaleReason } from './scale-policy.js';

export interface AutoscalerParts {
  readonly pool: string;
  readonly options: Pick<ResolvedPoolOptions, 'autoscale' | 'queueTimeoutMs' | 'size'>;
  readonly clock: Clock;
  readonly log: LogSink;
  readonly sample: (nowMs: number) => Omit<LoadSample, 'nowMs'>;
  readonly resize: (size: number) => void;
}

/** Gives a pool as many workers as its load needs, by one timer. */
export class Autoscaler {
  readonly counts: Record<ScaleReason, number> = { wait: 0, utilization: 0, idle: 0 };
  readonly #parts: AutoscalerParts;
  readonly #policy: ScalePolicy | undefined;
  #timer: Timer | undefined;
  #isStopped = false;

  /** @throws SnakepitError INVALID_OPTIONS when `min` is above `max`, or a fixed size is given too. */
  constructor(parts: AutoscalerParts) {
    this.#parts = parts;
    const { pool, options } = parts;
    const { autoscale, queueTimeoutMs, size } = options;
    if (autoscale === false) return;
    const { min, max } = autoscale;
    if (min > max) refuse(`'autoscale.min' of pool '${pool}' is ${min}, more than 'autoscale.max', which is ${max}.`);
    if (size !== undefined) refuse(`pool '${pool}' has both 'size' and 'autoscale'; leave one of them out.`);
    this.#policy = new ScalePolicy({ ...autoscale, queueTimeoutMs });
  }

  start(): void {
    if (this.#policy !== undefined) this.#lookLater(this.#policy);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #lookLater(policy: ScalePolicy): void {
    const { autoscale } = this.#parts.options;
    if (this.#isStopped || autoscale === false) return;
    this.#timer = this.#parts.clock.after(autoscale.checkIntervalMs, () => {
      this.#look(policy);
      this.#lookLater(policy);
    });
  }

  #look(policy: ScalePolicy): void {
    const { clock, sample, resize } = this.#parts;
    const nowMs = clock.now();
    const load = { nowMs, ...sample(nowMs) };
    const decision = policy.look(load);
    if (decision === undefined) return;
    resize(decision.size);
    this.counts[decision.reason] += 1;
    this.#tell(load, decision);
  }

  #tell({ size: from, queued, oldestWaitMs }: LoadSample, { size: to, reason }: ScaleDecision): void {
    const { pool, log } = this.#parts;
    publish('snakepit:scale', { pool, from, to, reason, queued, oldestWaitMs });
    const waiting = queued === 0 ? '' : `; ${queued} calls wait, the first for ${Math.round(oldestWaitMs)} ms`;
    log({ level: 'info', pool, message: `from ${from} to ${to} workers (${reason}${waiting})` });
  }
}

/** How many workers a pool starts with. */
export function initialSize({ autoscale, size, adapter }: ResolvedPoolOptions): number {
  if (autoscale !== false) return autoscale.min;
  return size ?? adapter.defaultSize ?? availableParallelism();
}

/** How many threads numeric libraries may use in one worker of a pool of this size; 0 for as many as they like. */
export function numericThreadsOf(options: ResolvedPoolOptions, size = initialSize(options)): number {
  const { autoscale, numericThreads } = options;
  return numericThreads ?? fairThreads(availableParallelism(), autoscale === false ? size : autoscale.max);
}

function refuse(reason: string): never {
  throw new SnakepitError('INVALID_OPTIONS', { reason, option: 'autoscale' });
}
