import { SnakepitError } from './errors.js';

/** `true`; `8`; `fast`; `a,b`; `true` or `a,b`; `{"NAME":"value"}`. */
export type TextForm = 'boolean' | 'number' | 'text' | 'list' | 'boolean or list' | 'map';

/**
 * One option: its name is the key in its table; default, unit, bounds and doc stand here. The validator, the
 * TypeScript types and the reference page are all derived from the table.
 */
export interface OptionSpec<Value> {
  readonly doc: string;
  readonly unit?: string | undefined;
  /** What may be given, in words: `an integer from 1 to 64`. */
  readonly allowed: string;
  /** Absent: the option is required. A function is called once per resolution. */
  readonly default?: { readonly value: Value | (() => Value); readonly doc?: string | undefined } | undefined;
  /** Returns the checked value; calls `refuse` with a path below this option and what is allowed there. */
  readonly parse: (given: unknown, path: string) => Value;
  /** The rows below this option on the reference page. */
  readonly table?: OptionTable | undefined;
  /** How it is read from text, such as an environment variable's; absent where it cannot be. */
  readonly text?: TextForm | undefined;
  /** What the names are where the table is that of each named entry, such as `pool`. */
  readonly entry?: string | undefined;
}

// The values' types differ from row to row; `any` is what lets a table be inferred as itself.
// oxlint-disable-next-line typescript/no-explicit-any
export type OptionTable = Readonly<Record<string, OptionSpec<any>>>;

type Defaulted<Spec> = Spec extends { readonly default: object } ? true : false;
type ValueOf<Spec> = Spec extends OptionSpec<infer Value> ? Value : never;
/** `input` exists in types only: what may be written for a row whose resolved value is richer than that. */
type InputValueOf<Spec> = 'input' extends keyof Spec ? Exclude<Spec['input'], undefined> : ValueOf<Spec>;

/** What a user may write for a table: options that have a default are optional. */
export type OptionsInput<Table extends OptionTable> = {
  readonly [K in keyof Table as Defaulted<Table[K]> extends true ? K : never]?: InputValueOf<Table[K]> | undefined;
} & { readonly [K in keyof Table as Defaulted<Table[K]> extends true ? never : K]: InputValueOf<Table[K]> };

/** The frozen outcome of {@link resolveOptions}: every option has its value. */
export type OptionsResolved<Table extends OptionTable> = { readonly [K in keyof Table]: ValueOf<Table[K]> };

interface Common<Value> {
  readonly doc: string;
  readonly unit?: string;
  readonly default?: Value | (() => Value);
  /** How the default is written on the reference page when it is computed. */
  readonly defaultDoc?: string;
  /** How it is read from text, where its builder does not know. */
  readonly text?: TextForm;
}

type WithDefault<Value, C> = C extends { readonly default: unknown }
  ? OptionSpec<Value> & { readonly default: object }
  : OptionSpec<Value> & { readonly default?: undefined };

function refuse(path: string, given: unknown, allowed: string): never {
  throw new SnakepitError('INVALID_OPTIONS', {
    reason: `'${path}' is ${describeValue(given)}; allowed is ${allowed}.`,
    option: path,
    allowed,
  });
}

/** A short rendering of any value for an error message. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}...` : value);
    case 'function':
      return `a function`;
    case 'object': {
      if (value === null) return 'null';
      if (Array.isArray(value)) return `a list of ${value.length}`;
      const name = value.constructor?.name;
      return name && name !== 'Object' ? `an instance of ${name}` : `an object`;
    }
    default:
      return String(value);
  }
}

function spec<Value, C extends Common<Value>>(
  common: C,
  allowed: string,
  parse: (given: unknown, path: string) => Value,
  { table, text = common.text }: { readonly table?: OptionTable; readonly text?: TextForm | undefined } = {},
): WithDefault<Value, C> {
  return {
    doc: common.doc,
    text,
    unit: common.unit,
    allowed,
    default: 'default' in common ? { value: frozen(common.default as Value), doc: common.defaultDoc } : undefined,
    parse,
    table,
  } as WithDefault<Value, C>;
}

/** Every resolution hands out the same default, so nobody may change it; computed ones are made anew each time. */
function frozen<Value>(value: Value): Value {
  return isPlainObject(value) || Array.isArray(value) ? Object.freeze(value) : value;
}

/** Of an option whose value is an object of names. */
interface NamedCommon {
  readonly doc: string;
  /** What the names are, in a word. */
  readonly entry: string;
  readonly default?: Readonly<Record<string, never>>;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

type Guard<Value> = (given: unknown) => given is Value;

/** A value that `accepts` tells apart; `allowed` is what the error and the reference page say. */
function valueOption<Value>(
  accepts: Guard<Value>,
  allowed: string,
  common: Common<Value> & { readonly default: Value | (() => Value) },
): OptionSpec<Value> & { readonly default: object };
function valueOption<Value>(
  accepts: Guard<Value>,
  allowed: string,
  common: Common<Value> & { readonly default?: never },
): OptionSpec<Value> & { readonly default?: undefined };
function valueOption<Value>(accepts: Guard<Value>, allowed: string, common: Common<Value>): OptionSpec<Value> {
  return spec(common, allowed, (given, path) => (accepts(given) ? given : refuse(path, given, allowed)));
}

function integersWithin({ min, max, unit }: Bounds & { readonly unit?: string }): string {
  return `an integer from ${min} to ${max}${unit ? ` (${unit})` : ''}`;
}

function isIntegerWithin({ min, max }: Bounds, given: unknown): given is number {
  return Number.isInteger(given) && (given as number) >= min && (given as number) <= max;
}

/** Builders for the rows of an option table. */
export const option = {
  integer<C extends Common<number> & Bounds>(common: C) {
    const allowed = integersWithin(common);
    const parse = (given: unknown, path: string): number =>
      isIntegerWithin(common, given) ? given : refuse(path, given, allowed);
    return spec<number, C>(common, allowed, parse, { text: 'number' });
  },

  /** Undefined where it is left out. */
  optionalInteger(common: Omit<Common<number>, 'default' | 'text'> & Bounds) {
    const accepts = (given: unknown): given is number | undefined => isIntegerWithin(common, given);
    return valueOption(accepts, integersWithin(common), { ...common, text: 'number', default: undefined });
  },

  /** An object whose values are integers; none of its names may be empty. */
  integerMap<C extends Common<Readonly<Record<string, number>>> & Bounds>(common: C) {
    const each = integersWithin(common);
    const allowed = `an object whose values are each ${each}`;
    const parse = (given: unknown, path: string): Readonly<Record<string, number>> => {
      if (!isPlainObject(given)) refuse(path, given, allowed);
      if (Object.hasOwn(given, '')) refuse(`${path}[""]`, given[''], 'a name that is not empty');
      for (const [name, value] of Object.entries(given)) {
        if (!isIntegerWithin(common, value)) refuse(`${path}.${name}`, value, each);
      }
      return Object.freeze({ ...(given as Record<string, number>) });
    };
    return spec<Readonly<Record<string, number>>, C>(common, allowed, parse);
  },

  boolean<C extends Common<boolean>>(common: C) {
    const parse = (given: unknown, path: string): boolean =>
      typeof given === 'boolean' ? given : refuse(path, given, 'true or false');
    return spec<boolean, C>(common, 'true or false', parse, { text: 'boolean' });
  },

  string<C extends Common<string>>(common: C) {
    const parse = (given: unknown, path: string): string =>
      typeof given === 'string' && given !== '' ? given : refuse(path, given, 'a non-empty string');
    return spec<string, C>(common, 'a non-empty string', parse, { text: 'text' });
  },

  oneOf<const Values extends readonly string[], C extends Common<Values[number]>>(values: Values, common: C) {
    const allowed = `one of ${values.map((v) => `'${v}'`).join(', ')}`;
    const parse = (given: unknown, path: string): Values[number] =>
      values.includes(given as string) ? (given as Values[number]) : refuse(path, given, allowed);
    return spec<Values[number], C>(common, allowed, parse, { text: 'text' });
  },

  strings<C extends Common<readonly string[]>>(common: C) {
    const allowed = 'a list of strings';
    const parse = (given: unknown, path: string): readonly string[] =>
      Array.isArray(given) && given.every((item) => typeof item === 'string')
        ? Object.freeze([...(given as string[])])
        : refuse(path, given, allowed);
    return spec<readonly string[], C>(common, allowed, parse, { text: 'list' });
  },

  stringMap<C extends Common<Readonly<Record<string, string>>>>(common: C) {
    const allowed = 'an object whose values are strings';
    const parse = (given: unknown, path: string): Readonly<Record<string, string>> => {
      if (!isPlainObject(given)) refuse(path, given, allowed);
      for (const [key, value] of Object.entries(given)) {
        if (typeof value !== 'string') refuse(`${path}.${key}`, value, 'a string');
      }
      return Object.freeze({ ...(given as Record<string, string>) });
    };
    return spec<Readonly<Record<string, string>>, C>(common, allowed, parse, { text: 'map' });
  },

  value: valueOption,

  /** A nested table; left out, all its defaults apply. */
  group<Table extends OptionTable>(table: Table, common: { readonly doc: string }) {
    const allowed = `an object with ${Object.keys(table).join(', ')}`;
    const parse = (given: unknown, path: string) => resolveOptions(table, given, path);
    return {
      ...spec<OptionsResolved<Table>, Common<OptionsResolved<Table>>>(common, allowed, parse, { table }),
      default: { value: () => resolveOptions(table, {}, ''), doc: 'its defaults' },
    } as OptionSpec<OptionsResolved<Table>> & { readonly default: object; readonly input?: OptionsInput<Table> };
  },

  /** Off by default unless `isOn`; `true` stands for the defaults of its table. */
  toggle<Table extends OptionTable>(
    table: Table,
    { doc, isOn = false }: { readonly doc: string; readonly isOn?: boolean },
  ) {
    type Value = false | OptionsResolved<Table>;
    const defaults = () => resolveOptions(table, {});
    const allowed = `true, false, or an object with ${Object.keys(table).join(', ')}`;
    const parse = (given: unknown, path: string): Value => {
      if (typeof given !== 'boolean' && !isPlainObject(given)) refuse(path, given, allowed);
      return given === false ? false : resolveOptions(table, given === true ? {} : given, path);
    };
    const common = { doc, default: isOn ? defaults : (false as const), defaultDoc: `\`${isOn}\`` };
    return spec<Value, typeof common>(common, allowed, parse, { table, text: 'boolean' }) as OptionSpec<Value> & {
      readonly default: object;
      readonly input?: boolean | OptionsInput<Table>;
    };
  },

  /** An object of named entries which all follow one table, such as `pools`. */
  namedGroups<Table extends OptionTable, C extends NamedCommon>(table: Table, common: C) {
    type Value = Readonly<Record<string, OptionsResolved<Table>>>;
    const allowed = 'an object of names, each with its options';
    const parse = (given: unknown, path: string) => {
      if (!isPlainObject(given)) refuse(path, given, allowed);
      return Object.freeze(
        Object.fromEntries(
          Object.entries(given).map(([name, v]) => [name, resolveOptions(table, v, `${path}.${name}`)]),
        ),
      );
    };
    return { ...spec<Value, C>(common, allowed, parse, { table }), entry: common.entry } as WithDefault<Value, C> & {
      readonly input?: Readonly<Record<string, OptionsInput<Table>>>;
    };
  },
};

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Checks `given` against `table`, fills in defaults and freezes the outcome.
 *
 * @throws SnakepitError INVALID_OPTIONS for an unknown key, a missing or a bad value, naming the key, the value and
 * what is allowed. Nothing is corrected silently; an option given as `undefined` counts as left out.
 */
export function resolveOptions<Table extends OptionTable>(
  table: Table,
  given: unknown,
  path = 'options',
): OptionsResolved<Table> {
  if (!isPlainObject(given)) refuse(path, given, 'an object of options');
  assertKnownKeys(given, Object.keys(table), path);
  const resolved: Record<string, unknown> = {};
  for (const [key, row] of Object.entries(table)) {
    const value = given[key];
    if (value !== undefined) resolved[key] = row.parse(value, `${path}.${key}`);
    else if (row.default === undefined) refuse(`${path}.${key}`, undefined, row.allowed);
    else resolved[key] = typeof row.default.value === 'function' ? row.default.value() : row.default.value;
  }
  return Object.freeze(resolved) as OptionsResolved<Table>;
}

/** @throws SnakepitError INVALID_OPTIONS for a key that is none of those */
export function assertKnownKeys(
  given: Readonly<Record<string, unknown>>,
  allowed: readonly string[],
  path = 'options',
): void {
  const unknown = Object.keys(given).find((key) => !allowed.includes(key));
  if (unknown === undefined) return;
  throw new SnakepitError('INVALID_OPTIONS', {
    reason: `unknown key '${path}.${unknown}' (${describeValue(given[unknown])}); allowed are ${allowed.join(', ')}.`,
    option: `${path}.${unknown}`,
    allowed,
  });
}
