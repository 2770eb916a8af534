import type { PoolService } from 'nestjs-snakepit/core';

import type { Lane, LaneName } from './lanes.mjs';

/** Undefined where there is no call. */
export type Ending = { readonly code: string; readonly delivery: string } | { readonly value: unknown } | undefined;

export interface Fault {
  readonly name: string;
  /** Does it to one worker of the pool; resolves or rejects as the call does that meets it. `scratch` gives names for files. */
  readonly provoke: (pool: PoolService, scratch: () => string, lane: Lane) => unknown;
  /** How that call ends. */
  readonly ends: (lane: Lane) => Ending;
  /** What its error must contain. */
  readonly says?: RegExp;
  /** What reaches the host's log by it. */
  readonly logs?: string;
  /** The worker lives on; else it is replaced. */
  readonly isHarmless?: boolean;
  /** Where it cannot be, and why. */
  readonly leftOut?: Partial<Record<LaneName, string>>;
}

export declare const FAULTS: readonly Fault[];
