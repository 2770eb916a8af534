import { describe, expect, it } from 'vitest';

import { isLegalMove, type WorkerStateKind } from './worker-state.js';

/** Every pair of states: a worker's whole life, and what must never happen in it. */
const MOVES: ReadonlyArray<readonly [WorkerStateKind, WorkerStateKind, 'legal' | 'illegal']> = [
  ['starting', 'starting', 'illegal'],
  ['starting', 'ready', 'legal'],
  ['starting', 'draining', 'illegal'],
  ['starting', 'dead', 'legal'],
  ['ready', 'starting', 'illegal'],
  ['ready', 'ready', 'illegal'],
  ['ready', 'draining', 'legal'],
  ['ready', 'dead', 'legal'],
  ['draining', 'starting', 'illegal'],
  ['draining', 'ready', 'illegal'],
  ['draining', 'draining', 'illegal'],
  ['draining', 'dead', 'legal'],
  ['dead', 'starting', 'illegal'],
  ['dead', 'ready', 'illegal'],
  ['dead', 'draining', 'illegal'],
  ['dead', 'dead', 'illegal'],
];

describe('moves of a worker', () => {
  it.each(MOVES)('from %s to %s is %s', (from, to, verdict) => {
    expect(isLegalMove(from, to)).toBe(verdict === 'legal');
  });

  it('are all listed', () => {
    expect(new Set(MOVES.map(([from, to]) => `${from} ${to}`)).size).toBe(4 * 4);
  });
});
