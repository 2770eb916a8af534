import { SnakepitError } from './errors.js';
import { describeValue, isPlainObject, type OptionSpec, type OptionTable } from './option-table.js';

/** Values by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface VariableRules {
  /** What all names begin with, such as `SNAKEPIT_`. */
  readonly prefix: string;
  /** Names with that prefix that have another meaning. */
  readonly reserved?: ReadonlySet<string>;
}

/** An option that a variable may set. */
interface Target {
  readonly path: readonly string[];
  readonly row: OptionSpec<unknown>;
}

const MOST_HINTS = 8;

/** `queueTimeoutMs` and `queue-timeout-ms` are both `QUEUE_TIMEOUT_MS`. */
export function variableName(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase();
}

/**
 * Options with those put in that the environment gives. A variable's name is the prefix and the option's path in capitals; its text is
 * read by the option's type. Entries of named groups, such as pools, have to be there already: a variable changes them and makes none.
 *
 * @returns a copy; what no variable names is as it was
 * @throws SnakepitError INVALID_OPTIONS for a variable with the prefix that is no option's, or has a bad value
 */
export function withVariables(table: OptionTable, given: unknown, env: Environment, rules: VariableRules): unknown {
  const names = Object.keys(env).filter((name) => isMeant(name, env, rules));
  if (names.length === 0) return given;
  const targets = targetsOf(table, given, rules.prefix);
  let result = given;
  // Of a toggle and an option below it, the toggle comes first.
  for (const name of names.toSorted()) {
    const found = targets.get(name);
    if (found === undefined) throw unknownVariable(name, env[name]!, [...targets.keys()]);
    const [target, rival] = found;
    if (rival !== undefined) throw ambiguousVariable(name, target!, rival);
    result = withValue(result, target!.path, valueOf(name, env[name]!, target!.row), name);
  }
  return result;
}

function isMeant(name: string, env: Environment, { prefix, reserved }: VariableRules): boolean {
  return name.startsWith(prefix) && env[name] !== undefined && reserved?.has(name) !== true;
}

/** Every variable that there may be, with the option that it sets; two where their names do not tell them apart. */
function targetsOf(table: OptionTable, given: unknown, prefix: string): Map<string, Target[]> {
  const targets = new Map<string, Target[]>();
  const visit = (rows: OptionTable, values: unknown, path: readonly string[]): void => {
    for (const [key, row] of Object.entries(rows)) {
      const here = [...path, key];
      const value = isPlainObject(values) ? values[key] : undefined;
      if (row.text !== undefined) {
        const name = prefix + here.map(variableName).join('_');
        targets.set(name, [...(targets.get(name) ?? []), { path: here, row }]);
      }
      if (row.table === undefined) continue;
      if (row.entry === undefined) visit(row.table, value, here);
      else if (isPlainObject(value))
        for (const [name, entry] of Object.entries(value)) visit(row.table, entry, [...here, name]);
    }
  };
  visit(table, given, []);
  return targets;
}

/** What a text means to an option. @throws SnakepitError INVALID_OPTIONS */
function valueOf(name: string, text: string, row: OptionSpec<unknown>): unknown {
  const value = readText(row.text!, text);
  if (value === undefined) throw refusedText(name, text, row.allowed);
  try {
    row.parse(value, name);
  } catch (error) {
    throw refusedText(name, text, row.allowed, error);
  }
  return value;
}

/** Undefined for what cannot be read so. */
function readText(form: NonNullable<OptionSpec<unknown>['text']>, text: string): unknown {
  switch (form) {
    case 'text':
      return text;
    case 'boolean':
      return readBoolean(text);
    case 'number':
      return text.trim() === '' || Number.isNaN(Number(text)) ? undefined : Number(text);
    case 'list':
      return readList(text);
    case 'boolean or list':
      return readBoolean(text) ?? readList(text);
    case 'map':
      return readMap(text);
  }
}

function readBoolean(text: string): boolean | undefined {
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : undefined;
}

function readList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** `{"NAME":"value"}` */
function readMap(text: string): unknown {
  try {
    const map: unknown = JSON.parse(text);
    return isPlainObject(map) ? map : undefined;
  } catch {
    return undefined;
  }
}

/** A copy with one value changed; what is on the way to it and is no object becomes one. */
function withValue(given: unknown, path: readonly string[], value: unknown, name: string): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (given === false) {
    throw new SnakepitError('INVALID_OPTIONS', {
      reason: `'${name}' is below an option that is false; give that as true, or leave the variable out.`,
      option: name,
    });
  }
  const object = isPlainObject(given) ? given : {};
  return { ...object, [key]: withValue(object[key], rest, value, name) };
}

function refusedText(name: string, text: string, allowed: string, cause?: unknown): SnakepitError {
  const reason = `the environment variable '${name}' is ${describeValue(text)}; allowed is ${allowed}.`;
  return new SnakepitError('INVALID_OPTIONS', { reason, option: name, allowed }, { cause });
}

function ambiguousVariable(name: string, one: Target, other: Target): SnakepitError {
  const reason = `the environment variable '${name}' may mean '${one.path.join('.')}' and '${other.path.join('.')}'; rename one of them.`;
  return new SnakepitError('INVALID_OPTIONS', { reason, option: name });
}

function unknownVariable(name: string, text: string, known: readonly string[]): SnakepitError {
  const near = known.map((each) => ({ each, shared: sharedStart(each, name) })).toSorted((a, b) => b.shared - a.shared);
  const hints = near.slice(0, MOST_HINTS).map(({ each }) => each);
  const reason = `unknown environment variable '${name}' (${describeValue(text)}); allowed are ${known.length} names, those most like it ${hints.join(', ')}.`;
  return new SnakepitError('INVALID_OPTIONS', { reason, option: name, allowed: known });
}

function sharedStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
