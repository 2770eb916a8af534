import { option } from '../../core/index.js';

/** The most workers of one pool. */
export const MAX_SIZE = 1_024;

/** The longest delay that a timer of Node takes. */
const MAX_MS = 2_147_483_647;

interface Milliseconds {
  readonly doc: string;
  readonly min: number;
  readonly default: number;
}

/** A time, for as long as a timer can take. */
export const milliseconds = (common: Milliseconds) => option.integer({ ...common, unit: 'ms', max: MAX_MS });

export function isNonEmptyString(given: unknown): boolean {
  return typeof given === 'string' && given !== '';
}
