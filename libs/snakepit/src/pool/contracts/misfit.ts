import { isMap } from '../../codec/index.js';
import type { SchemaError } from './compile-schema.js';

/** Where a value does not fit its schema, and why; nothing of the value itself, which may be a secret. */
export interface Misfit {
  /** Such as `args.items[3].name`. */
  readonly path: string;
  readonly reason: string;
}

const MAX_LISTED = 12;
const ALTERNATIVES = new Set(['anyOf', 'oneOf']);

/** What to tell of a value that does not fit; `root` begins the path. */
export function misfitOf(errors: readonly SchemaError[], value: unknown, root: string): Misfit {
  const error = chosen(errors);
  const at = root + steps(value, error.instancePath);
  const { params } = error;
  switch (error.keyword) {
    case 'required':
      return { path: at + step(text(params['missingProperty'])), reason: 'is missing' };
    case 'additionalProperties':
      return { path: at + step(text(params['additionalProperty'])), reason: `is unknown${knownOf(error)}` };
    case 'propertyNames':
      return { path: at + step(text(params['propertyName'])), reason: 'is no name that is allowed here' };
    case 'type':
      return { path: at, reason: `is ${kindOf(error.data)}; expected ${[params['type']].flat().join(' or ')}` };
    case 'x-value':
      return { path: at, reason: `is ${kindOf(error.data)}; expected ${valueOf(error)}` };
    case 'enum':
      return { path: at, reason: `is none of what is allowed: ${listed(params['allowedValues'])}` };
    case 'const':
      return { path: at, reason: `is not ${listed([params['allowedValue']])}` };
    case 'false schema':
      return { path: at, reason: 'is not allowed' };
    default:
      return { path: at, reason: error.message ?? `does not fit '${error.keyword}'` };
  }
}

/**
 * Of several alternatives that do not fit, the one is told of that fits best: the error that lies deepest in the value. Where all lie at
 * its surface, what is allowed is listed.
 */
function chosen(errors: readonly SchemaError[]): SchemaError {
  const last = errors.at(-1)!;
  if (!ALTERNATIVES.has(last.keyword)) return last;
  const deepest = errors.reduce((best, each) => (depthOf(each) > depthOf(best) ? each : best));
  if (depthOf(deepest) > depthOf(last)) return deepest;
  const wanted = errors.filter((each) => each !== last && each.instancePath === last.instancePath).map(wantedBy);
  if (wanted.length === 0 || wanted.includes(undefined)) return errors[0]!;
  const expected = [...new Set(wanted)].join(' or ');
  return { ...last, message: `is ${kindOf(last.data)}; expected ${expected}` };
}

function wantedBy(error: SchemaError): string | undefined {
  if (error.keyword === 'type') return [error.params['type']].flat().join(' or ');
  if (error.keyword === 'x-value') return valueOf(error);
  if (error.keyword === 'enum') return `one of ${listed(error.params['allowedValues'])}`;
  if (error.keyword === 'const') return listed([error.params['allowedValue']]);
  return ALTERNATIVES.has(error.keyword) ? '' : undefined;
}

function depthOf({ instancePath, keyword }: SchemaError): number {
  const inside = keyword === 'required' || keyword === 'additionalProperties' ? 1 : 0;
  return instancePath.split('/').length + inside;
}

function valueOf({ schema, parentSchema }: SchemaError): string {
  if (schema !== 'array') return String(schema);
  const elements = (parentSchema as { 'x-elements'?: readonly string[] } | undefined)?.['x-elements'];
  return elements === undefined ? 'a typed array' : `a typed array of ${elements.join(' or ')}`;
}

function knownOf({ parentSchema }: SchemaError): string {
  const names = Object.keys((parentSchema as { properties?: object } | undefined)?.properties ?? {});
  if (names.length === 0) return '; nothing is taken here';
  const rest = names.length > MAX_LISTED ? ', …' : '';
  return `; known are ${names.slice(0, MAX_LISTED).join(', ')}${rest}`;
}

function listed(values: unknown): string {
  const all = Array.isArray(values) ? values : [];
  const rest = all.length > MAX_LISTED ? ', …' : '';
  return (
    all
      .slice(0, MAX_LISTED)
      .map((each) => JSON.stringify(each))
      .join(', ') + rest
  );
}

/** In words of the schema's, so that both sides of "is …; expected …" are of one kind. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Date) return 'a Date';
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `a ${value.constructor.name}`;
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a number with a fraction';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** A JSON pointer as it would be written in code. */
function steps(value: unknown, pointer: string): string {
  let at: unknown = value;
  let path = '';
  for (const raw of pointer.split('/').slice(1)) {
    const key = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    path += Array.isArray(at) ? `[${key}]` : step(key);
    at = isMap(at) ? at[key] : Array.isArray(at) ? at[Number(key)] : undefined;
  }
  return path;
}

function step(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : String(value);
}
