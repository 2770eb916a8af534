import type { BatchSettings } from './batch-options.js';

/** What a batch that gathers looks like at one moment. */
export interface GatheringState {
  /** Calls that wait for more to come. */
  readonly gathered: number;
  /** When the first of them came. */
  readonly oldestAt: number;
  /** Batches like it that workers hold. */
  readonly running: number;
}

/** When a batch stops waiting for more calls and takes its place in the queue. */
export type Departure = { readonly kind: 'now' } | { readonly kind: 'at'; readonly atMs: number };

const NOW: Departure = { kind: 'now' };

/**
 * A batch that is full leaves. One that is not waits for up to `maxWaitMs`; if it is adaptive, only for as long as another runs: as
 * small TCP segments do by Nagle's algorithm (RFC 896), it makes up for a wait that there is anyway.
 */
export function departureOf(state: GatheringState, settings: BatchSettings, nowMs: number): Departure {
  const { maxSize, maxWaitMs, adaptive } = settings;
  if (state.gathered >= maxSize || maxWaitMs === 0) return NOW;
  if (adaptive && state.running === 0) return NOW;
  const atMs = state.oldestAt + maxWaitMs;
  return nowMs >= atMs ? NOW : { kind: 'at', atMs };
}
