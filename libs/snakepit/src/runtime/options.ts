import {
  isPlainObject,
  option,
  resolveOptions,
  SnakepitError,
  withVariables,
  type Environment,
  type OptionsInput,
  type OptionsResolved,
} from '../core/index.js';
import { POOL_PROFILES, poolOptionTable, type PoolOptions, type PoolProfile } from '../pool/index.js';
import { SESSION_OPTIONS } from '../session/index.js';
import { checkPrivileges, hostSystem, RESERVED_VARIABLES, type Adapter } from '../worker/index.js';
import { contextOptionTable } from './call-context.js';

export const DEFAULT_POOL = 'default';

const PREFIX = /^[A-Z][A-Z0-9_]*_$/;

function isPrefix(given: unknown): given is boolean | string {
  return typeof given === 'boolean' || (typeof given === 'string' && PREFIX.test(given));
}

const sharedOptionTable = {
  sessions: option.group(SESSION_OPTIONS, { doc: 'Sessions and global programs.' }),
  environmentOverrides: option.value(isPrefix, "true, false, or a prefix such as 'APP_SNAKEPIT_'", {
    doc: 'Let environment variables change the options, see [Configuration](configuration.md); `true` means those that begin with `SNAKEPIT_`.',
    default: false,
  }),
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
    entry: 'pool',
  }),
  ...sharedOptionTable,
};

/** What the shorthand for a single pool may hold. */
const onePoolOptionTable = { ...poolOptionTable, ...sharedOptionTable };

type SharedOptions = OptionsInput<typeof sharedOptionTable>;

export type ManyPoolsOptions = OptionsInput<typeof snakepitOptionTable>;
/** The shorthand for a single pool, named `default`. */
export type OnePoolOptions = PoolOptions & SharedOptions;
/** Named pools, the options of one pool, or nothing but its adapter. */
export type SnakepitOptions = ManyPoolsOptions | OnePoolOptions | Adapter;
export type ResolvedSnakepitOptions = OptionsResolved<typeof snakepitOptionTable>;

const DEFAULT_PREFIX = 'SNAKEPIT_';

/**
 * Checks the options, shorthands included.
 *
 * @param env where variables may change the options, if these say so
 * @throws SnakepitError INVALID_OPTIONS
 */
export function resolveSnakepitOptions(given: unknown, env: Environment = {}): ResolvedSnakepitOptions {
  const whole = withoutShorthands(given);
  const overrides = isPlainObject(whole) ? whole['environmentOverrides'] : undefined;
  const prefix = overrides === true ? DEFAULT_PREFIX : overrides;
  const meant = typeof prefix === 'string' && isPrefix(prefix) ? withEnvironment(whole, env, { prefix }) : whole;
  const resolved = resolveLongForm(withProfiles(meant), isShorthand(given));
  if (Object.keys(resolved.pools).length === 0) {
    throw new SnakepitError('INVALID_OPTIONS', { reason: `'options.pools' is empty; name at least one pool.` });
  }
  for (const [name, { privileges }] of Object.entries(resolved.pools)) {
    checkPrivileges(privileges, `options.pools.${name}.privileges`, hostSystem());
  }
  return resolved;
}

/**
 * Options with those put in that environment variables give: `SNAKEPIT_POOLS_ML_QUEUE_TIMEOUT_MS=2000` is the option
 * `pools.ml.queueTimeoutMs`. Pure; {@link snakepitOptionTable} says how each is read.
 *
 * @param rules what the variables begin with; default `SNAKEPIT_`
 * @throws SnakepitError INVALID_OPTIONS for a variable with the prefix that is no option's of these pools, or has a bad value
 */
export function withEnvironment(
  options: unknown,
  env: Environment,
  { prefix = DEFAULT_PREFIX }: { readonly prefix?: string } = {},
): ManyPoolsOptions {
  const rules = { prefix, reserved: RESERVED_VARIABLES };
  return withVariables(snakepitOptionTable, withoutShorthands(options), env, rules) as ManyPoolsOptions;
}

/** Names pool options as they were written: with the shorthand they have no pool's name before them. */
function resolveLongForm(given: unknown, wasShort: boolean): ResolvedSnakepitOptions {
  if (!wasShort) return resolveOptions(snakepitOptionTable, given);
  const { pools, ...shared } = given as { readonly pools: Readonly<Record<string, object>> };
  const { sessions, context, environmentOverrides, autoStart, ...pool } = resolveOptions(onePoolOptionTable, {
    ...pools[DEFAULT_POOL],
    ...shared,
  });
  const resolved = { pools: Object.freeze({ [DEFAULT_POOL]: Object.freeze(pool) }) };
  return Object.freeze({ ...resolved, sessions, context, environmentOverrides, autoStart });
}

/** The names that options may have: those of one pool, or those of many. */
export function optionNamesOf(given: unknown): readonly string[] {
  return Object.keys(isShorthand(given) ? onePoolOptionTable : snakepitOptionTable);
}

function isShorthand(given: unknown): boolean {
  return isAdapter(given) || (isPlainObject(given) && 'adapter' in given && !('pools' in given));
}

/** Options in their long form. What is wrong about them is found out later. */
function withoutShorthands(given: unknown): unknown {
  if (isAdapter(given)) return { pools: { [DEFAULT_POOL]: { adapter: given } } };
  if (!isPlainObject(given) || !isShorthand(given)) return given;
  const shared = Object.entries(given).filter(([name]) => Object.hasOwn(sharedOptionTable, name));
  const pool = Object.entries(given).filter(([name]) => !Object.hasOwn(sharedOptionTable, name));
  return { pools: { [DEFAULT_POOL]: Object.fromEntries(pool) }, ...Object.fromEntries(shared) };
}

/** The defaults of each pool's adapter and profile, below what its options say. */
function withProfiles(given: unknown): unknown {
  if (!isPlainObject(given) || !isPlainObject(given['pools'])) return given;
  const pools = Object.entries(given['pools']).map(([name, pool]) => [name, withProfile(pool)]);
  return { ...given, pools: Object.fromEntries(pools) };
}

function withProfile(pool: unknown): unknown {
  if (!isPlainObject(pool)) return pool;
  const { profile, adapter } = pool;
  const hasProfile = typeof profile === 'string' && Object.hasOwn(POOL_PROFILES, profile);
  const ofAdapter = isAdapter(adapter) ? adapter.poolDefaults : undefined;
  if (!hasProfile && ofAdapter === undefined) return pool;
  const said = Object.entries(pool).filter(([, value]) => value !== undefined);
  return { ...(hasProfile && POOL_PROFILES[profile as PoolProfile]), ...ofAdapter, ...Object.fromEntries(said) };
}

function isAdapter(given: unknown): given is Adapter {
  return typeof (given as Partial<Adapter> | undefined | null)?.prepare === 'function';
}
