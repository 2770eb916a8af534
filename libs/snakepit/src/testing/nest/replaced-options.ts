import { isPlainObject, SnakepitError } from '../../core/index.js';
import {
  DEFAULT_POOL,
  type Adapter,
  type ManyPoolsOptions,
  type OnePoolOptions,
  type SnakepitOptions,
} from '../../runtime/index.js';
import { hooksOf } from '../tap/adapter-with-tap.js';

type OnePool = ManyPoolsOptions['pools'][string];

/** Adapters that stand in for those of an application, by pool. */
export type Replacements = ReadonlyMap<string, Adapter>;

/**
 * The options of an application with other adapters; all else is the application's own, hooks of its adapters included.
 *
 * @throws SnakepitError INVALID_OPTIONS for a stand-in whose pool is not there, and for a pool without one where none may be real
 */
export function replacedOptions(
  options: SnakepitOptions,
  replacements: Replacements,
  others: 'refuse' | 'real',
): SnakepitOptions {
  const isAdapterAlone = 'prepare' in options && typeof options.prepare === 'function';
  const given = (isAdapterAlone ? { adapter: options } : options) as OnePoolOptions | ManyPoolsOptions;
  // What cannot be understood is refused where all options are checked.
  if (!isPlainObject(given)) return options;
  if (!('pools' in given)) {
    check([DEFAULT_POOL], replacements, others);
    return replacedPool(given as OnePool, replacements.get(DEFAULT_POOL)) as OnePoolOptions;
  }
  const pools = Object.entries((given as ManyPoolsOptions).pools);
  check(
    pools.map(([name]) => name),
    replacements,
    others,
  );
  const replaced = pools.map(([name, pool]) => [name, replacedPool(pool, replacements.get(name))]);
  return { ...given, pools: Object.fromEntries(replaced) } as ManyPoolsOptions;
}

function replacedPool(pool: OnePool, adapter: Adapter | undefined): OnePool {
  if (adapter === undefined) return pool;
  const adapters = { ...hooksOf(adapter), ...applicationHooks(pool.adapter), prepare: adapter.prepare.bind(adapter) };
  // There are no files to watch, and no process whose privileges could be other than the host's.
  const inProcess = adapter.inProcess === true ? { watch: undefined, privileges: undefined } : {};
  return { ...pool, adapter: adapters, ...inProcess };
}

/** What an application's adapter does to arguments and results belongs to what is tested. */
function applicationHooks(adapter: Adapter): Partial<Adapter> {
  const { name: _, inProcess: __, defaultSize: ___, ...hooks } = hooksOf(adapter);
  return hooks;
}

function check(pools: readonly string[], replacements: Replacements, others: 'refuse' | 'real'): void {
  const strangers = [...replacements.keys()].filter((name) => !pools.includes(name));
  if (strangers.length > 0) {
    const reason = `SnakepitTestingModule.forRoot names the pool ${quoted(strangers)}, which the application has not; it has ${quoted(pools)}.`;
    throw new SnakepitError('INVALID_OPTIONS', { reason });
  }
  const real = pools.filter((name) => !replacements.has(name));
  if (real.length === 0 || others === 'real') return;
  const reason = `The pool ${quoted(real)} would start real workers: name it in SnakepitTestingModule.forRoot, or allow that by { others: 'real' }.`;
  throw new SnakepitError('INVALID_OPTIONS', { reason });
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}
