import { option, type OptionsInput, type OptionsResolved } from '../core/index.js';
import type { Adapter } from '../worker/index.js';
import { callOptionTable } from './options/calls.js';
import { payloadOptionTable } from './options/payload.js';
import { processOptionTable } from './options/processes.js';
import { sizeOptionTable } from './options/size.js';
import { supervisionOptionTable } from './options/supervision.js';

/** See `profiles.ts`. */
export const PROFILE_NAMES = ['balanced', 'production-strict', 'development', 'ml-inference', 'batch'] as const;
export type PoolProfile = (typeof PROFILE_NAMES)[number];

function isAdapter(given: unknown): given is Adapter {
  return typeof given === 'object' && given !== null && typeof (given as Adapter).prepare === 'function';
}

/** Every option of one pool: the source of its validation, its types and its reference page. */
export const poolOptionTable = {
  adapter: option.value<Adapter>(isAdapter, "an adapter such as python({ module: './workers/report.py' })", {
    doc: 'What the workers are: `python()`, `node()`, `ruby()`, `r()`, `go()`, `custom()`, or your own `Adapter`.',
  }),
  ...sizeOptionTable,
  profile: option.oneOf(PROFILE_NAMES, {
    doc: 'Defaults for a kind of work, see [Profiles](#profiles); what is said here beside it goes before them.',
    default: 'balanced',
  }),
  ...callOptionTable,
  ...supervisionOptionTable,
  ...payloadOptionTable,
  ...processOptionTable,
};

export type PoolOptions = OptionsInput<typeof poolOptionTable>;
export type ResolvedPoolOptions = OptionsResolved<typeof poolOptionTable>;
