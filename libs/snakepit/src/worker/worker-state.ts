import type { Channel } from '../channel/index.js';
import { describeExit, type ExitCause } from './exit-cause.js';

const LEAVE_REASONS = ['close', 'resize', 'restart', 'max-calls', 'ttl', 'idle', 'max-rss'] as const;

/** Why a worker takes no more calls although nothing is wrong with it. */
export type LeaveReason = (typeof LEAVE_REASONS)[number];

/** Which of its limits a worker that is recycled has reached. */
export type RecycleReason = Extract<LeaveReason, 'max-calls' | 'ttl' | 'idle' | 'max-rss'>;

/** Why a worker takes no more calls. */
export type DrainReason = LeaveReason | 'hung' | 'frozen' | 'protocol-error' | 'channel-closed' | 'connection-lost';

/** The life of a worker: each state holds just what exists in it. */
export type WorkerState =
  | { readonly kind: 'starting'; readonly sinceMs: number }
  | { readonly kind: 'ready'; readonly channel: Channel; readonly startMs: number }
  | { readonly kind: 'draining'; readonly channel: Channel; readonly reason: DrainReason }
  | { readonly kind: 'dead'; readonly cause: ExitCause; readonly reason: DrainReason | undefined };

export type WorkerStateKind = WorkerState['kind'];

const LEGAL_MOVES: Readonly<Record<WorkerStateKind, readonly WorkerStateKind[]>> = {
  starting: ['ready', 'dead'],
  ready: ['draining', 'dead'],
  draining: ['dead'],
  dead: [],
};

export function isLegalMove(from: WorkerStateKind, to: WorkerStateKind): boolean {
  return LEGAL_MOVES[from].includes(to);
}

/** Why a worker is in the state it is, for logs and events; undefined where there is nothing to tell. */
export function reasonOf(state: WorkerState): string | undefined {
  switch (state.kind) {
    case 'starting':
    case 'ready':
      return undefined;
    case 'draining':
      return state.reason;
    case 'dead':
      return state.reason ?? describeExit(state.cause);
  }
}

/** Whether a worker leaves in good health: it finishes what it has, and what waits for it may go elsewhere. */
export function leavesInPeace(state: WorkerState): boolean {
  return state.kind === 'draining' && LEAVE_REASONS.some((reason) => reason === state.reason);
}
