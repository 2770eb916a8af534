import {
  isPlainObject,
  option,
  resolveOptions,
  SnakepitError,
  type OptionsInput,
  type OptionsResolved,
} from '../core/index.js';
import { poolOptionTable, type PoolOptions } from '../pool/index.js';
import { SESSION_OPTIONS } from '../session/index.js';
import { checkPrivileges, hostSystem, type Adapter } from '../worker/index.js';
import { contextOptionTable } from './call-context.js';

export const DEFAULT_POOL = 'default';

const sharedOptionTable = {
  sessions: option.group(SESSION_OPTIONS, { doc: 'Sessions and global programs.' }),
  context: option.group(contextOptionTable, { doc: 'Values of the request that travel with every call.' }),
  autoStart: option.boolean({
    doc: 'Start the pools with the application, and fail its start when a pool cannot. Otherwise `start()` does.',
    default: true,
  }),
};

/** Every option of the library: the source of its validation, its types and its reference page. */
export const snakepitOptionTable = {
  pools: option.namedGroups(poolOptionTable, {
    doc: "The pools by name; the one named 'default' is what `PoolService` means when a call names none.",
  }),
  ...sharedOptionTable,
};

type SharedOptions = OptionsInput<typeof sharedOptionTable>;

export type ManyPoolsOptions = OptionsInput<typeof snakepitOptionTable>;
/** The shorthand for a single pool, named `default`. */
export type OnePoolOptions = PoolOptions & SharedOptions;
/** Named pools, the options of one pool, or nothing but its adapter. */
export type SnakepitOptions = ManyPoolsOptions | OnePoolOptions | Adapter;
export type ResolvedSnakepitOptions = OptionsResolved<typeof snakepitOptionTable>;

/** What the shorthand for a single pool may hold. */
const onePoolOptionTable = { ...poolOptionTable, ...sharedOptionTable };

/** Checks the options, shorthands included. @throws SnakepitError INVALID_OPTIONS */
export function resolveSnakepitOptions(given: unknown): ResolvedSnakepitOptions {
  const resolved = resolveShorthands(given);
  for (const [name, { privileges }] of Object.entries(resolved.pools)) {
    checkPrivileges(privileges, `options.pools.${name}.privileges`, hostSystem());
  }
  return resolved;
}

function resolveShorthands(given: unknown): ResolvedSnakepitOptions {
  if (isAdapter(given)) return resolveOnePool({ adapter: given });
  if (isPlainObject(given) && 'adapter' in given && !('pools' in given)) return resolveOnePool(given);
  const resolved = resolveOptions(snakepitOptionTable, given);
  if (Object.keys(resolved.pools).length === 0) {
    throw new SnakepitError('INVALID_OPTIONS', { reason: `'options.pools' is empty; name at least one pool.` });
  }
  return resolved;
}

function isAdapter(given: unknown): given is Adapter {
  return typeof (given as Partial<Adapter> | undefined | null)?.prepare === 'function';
}

function resolveOnePool(given: unknown): ResolvedSnakepitOptions {
  const { sessions, context, autoStart, ...pool } = resolveOptions(onePoolOptionTable, given);
  return Object.freeze({ pools: Object.freeze({ [DEFAULT_POOL]: Object.freeze(pool) }), sessions, context, autoStart });
}
