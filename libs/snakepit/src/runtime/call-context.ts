import type { AsyncLocalStorage } from 'node:async_hooks';

import { option, SnakepitError, type OptionsInput, type OptionsResolved } from '../core/index.js';
import { contextProblem } from '../pool/index.js';

/** Context values as they travel; those that are undefined do not. */
export type ContextValues = Readonly<Record<string, string | undefined>>;
/** Reads the values where a call is made; undefined outside of any request. */
export type CaptureContext = () => ContextValues | undefined;
/** Runs a function where the values are what `capture` reads, and returns what it returns. */
export type RunInContext = <Result>(values: Readonly<Record<string, string>>, run: () => Result) => Result;

const isFunction = (given: unknown): boolean => typeof given === 'function';

/** Options of `context`. */
export const contextOptionTable = {
  capture: option.value<CaptureContext | undefined>(
    (given): given is CaptureContext => isFunction(given),
    'a function that returns an object of strings, or undefined',
    {
      doc: 'Reads the context values that every call takes along, where the call is made: `alsContext`, `clsContext`, or a function of your own.',
      default: undefined,
    },
  ),
  run: option.value<RunInContext | undefined>(
    (given): given is RunInContext => isFunction(given),
    'a function of values and a function, which it calls and whose result it returns',
    { doc: 'Puts the values back where a worker calls a function of the host.', default: undefined },
  ),
};

export type ContextOptions = OptionsInput<typeof contextOptionTable>;
export type ResolvedContextOptions = OptionsResolved<typeof contextOptionTable>;

/**
 * What `capture` reads, checked; undefined when it is nothing.
 *
 * @throws SnakepitError MISUSE naming the value and what is allowed
 */
export function captured(capture: CaptureContext): Record<string, string> | undefined {
  const given: unknown = capture();
  if (given === undefined) return undefined;
  const values = typeof given === 'object' && given !== null ? withoutUndefined(given) : given;
  const problem = contextProblem(values);
  if (problem === undefined) return values as Record<string, string>;
  const reason = `'options.context.capture' returned ${problem.given}${problem.path && ` as '${problem.path.slice(1)}'`}; allowed is ${problem.allowed}.`;
  throw new SnakepitError('MISUSE', { reason });
}

function withoutUndefined(given: object): unknown {
  if (Object.values(given).every((value) => value !== undefined)) return given;
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** Which values travel: their names, or under which key of the store each name is found. */
export type ContextKeys = readonly string[] | Readonly<Record<string, string | symbol>>;
type Key = string | symbol;

/**
 * Context values out of an AsyncLocalStorage of yours, whose store is an object or a Map. Where a worker calls the host, the store is
 * an object with the values that travelled, or what `restore` makes of them.
 *
 * @example
 * context: alsContext(requestStorage, ['tenant', 'user'])
 */
export function alsContext<Store extends object>(
  storage: AsyncLocalStorage<Store>,
  keys: ContextKeys,
  restore?: (values: Readonly<Record<string, string>>) => Store,
): { readonly capture: CaptureContext; readonly run: RunInContext } {
  const names = namedKeys(keys);
  const storeOf = restore ?? ((values) => Object.fromEntries(keyed(names, values)) as Store);
  return {
    capture: () => {
      const store = storage.getStore();
      return store === undefined ? undefined : picked(names, (key) => valueIn(store, key));
    },
    run: (values, run) => storage.run(storeOf(values), run),
  };
}

/** As much of the ClsService of nestjs-cls as is needed. */
export interface ClsLike {
  isActive(): boolean;
  // Its own types name the keys of a store that is not known here.
  // oxlint-disable-next-line typescript/no-explicit-any
  get(key: any): unknown;
  // oxlint-disable-next-line typescript/no-explicit-any
  set(key: any, value: any): void;
  run<Result>(run: () => Result): Result;
}

/**
 * Context values out of the ClsService of nestjs-cls.
 *
 * @example
 * context: clsContext(ClsServiceManager.getClsService(), { tenant: 'tenant', correlationId: CLS_ID })
 */
export function clsContext(
  cls: ClsLike,
  keys: ContextKeys,
): { readonly capture: CaptureContext; readonly run: RunInContext } {
  const names = namedKeys(keys);
  return {
    capture: () => (cls.isActive() ? picked(names, (key) => cls.get(key)) : undefined),
    run: (values, run) =>
      cls.run(() => {
        for (const [key, value] of keyed(names, values)) cls.set(key, value);
        return run();
      }),
  };
}

function namedKeys(keys: ContextKeys): readonly (readonly [name: string, key: Key])[] {
  return Array.isArray(keys) ? keys.map((name: string) => [name, name]) : Object.entries(keys);
}

function valueIn(store: object, key: Key): unknown {
  return store instanceof Map ? store.get(key) : (store as Readonly<Record<Key, unknown>>)[key];
}

/** What is no string is told of when the values are checked. */
function picked(names: ReturnType<typeof namedKeys>, read: (key: Key) => unknown): ContextValues {
  const values: Record<string, unknown> = {};
  for (const [name, key] of names) values[name] = read(key) ?? undefined;
  return values as ContextValues;
}

/** The values that travelled, by the keys of the store; what came under other names stays behind. */
function keyed(names: ReturnType<typeof namedKeys>, values: Readonly<Record<string, string>>): [Key, string][] {
  return names.flatMap(([name, key]): [Key, string][] => {
    const value = values[name];
    return value === undefined ? [] : [[key, value]];
  });
}
