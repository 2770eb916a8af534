import { isMap } from './bodies.js';
import { describeValue } from './bounded-text.js';
import { ProtocolViolation } from './failures.js';
import { JSON_TYPES, VALUE_KINDS, type JsonSchema, type Subschema } from './json-schema.js';
import { TYPED_ARRAY_NAMES } from './typed-array.js';

const MAX_DEPTH = 64;
const MAX_VALUES = 10_000;
/** The members that are checked of a map are nested in the code that checks them. */
const MAX_PROPERTIES = 500;
const REFERENCE = /^#(?:\/(\$defs|definitions)\/([A-Za-z0-9_.-]{1,128}))?$/;
const NAME = /^[A-Za-z0-9_.-]{1,128}$/;

type Read = (reader: SchemaReader, value: unknown, path: string, depth: number) => unknown;

/** Each keyword that is understood, and how its value is checked; all others are left out of what is read. */
const KEYWORDS: Readonly<Record<keyof JsonSchema, Read>> = {
  type: (reader, value, path) =>
    Array.isArray(value)
      ? reader.list(value, path, (type, at) => oneOf(JSON_TYPES, type, at))
      : oneOf(JSON_TYPES, value, path),
  enum: (reader, value, path, depth) => reader.list(value, path, (item, at) => reader.data(item, at, depth)),
  const: (reader, value, path, depth) => reader.data(value, path, depth),
  properties: (reader, value, path, depth) => reader.schemas(value, path, depth),
  required: (reader, value, path) => reader.list(value, path, text),
  additionalProperties: (reader, value, path, depth) => reader.schema(value, path, depth),
  propertyNames: (reader, value, path, depth) => reader.schema(value, path, depth),
  minProperties: count,
  maxProperties: count,
  items: (reader, value, path, depth) => reader.schema(value, path, depth),
  prefixItems: (reader, value, path, depth) => reader.alternatives(value, path, depth),
  minItems: count,
  maxItems: count,
  minLength: count,
  maxLength: count,
  minimum: number,
  maximum: number,
  exclusiveMinimum: number,
  exclusiveMaximum: number,
  multipleOf: (reader, value, path) => {
    const step = number(reader, value, path);
    return step > 0 ? step : refuse(path, value, 'a number above 0');
  },
  anyOf: (reader, value, path, depth) => reader.alternatives(value, path, depth),
  oneOf: (reader, value, path, depth) => reader.alternatives(value, path, depth),
  allOf: (reader, value, path, depth) => reader.alternatives(value, path, depth),
  not: (reader, value, path, depth) => reader.schema(value, path, depth),
  format: (_, value, path) => text(value, path),
  'x-value': (_, value, path) => oneOf(VALUE_KINDS, value, path),
  'x-elements': (reader, value, path) => reader.list(value, path, (name, at) => oneOf(TYPED_ARRAY_NAMES, name, at)),
  title: (_, value, path) => text(value, path),
  description: (_, value, path) => text(value, path),
  default: (reader, value, path, depth) => reader.data(value, path, depth),
  deprecated: (_, value, path) => (typeof value === 'boolean' ? value : refuse(path, value, 'true or false')),
  $ref: (reader, value, path) => reader.reference(value, path),
  $defs: (reader, value, path, depth) => reader.definitions(value, path, depth),
  definitions: (reader, value, path, depth) => reader.definitions(value, path, depth),
};

/** The keywords whose schemas are applied to the very value that their own schema is applied to. */
const IN_PLACE = ['anyOf', 'oneOf', 'allOf', 'not'] as const;

/**
 * A schema that came from elsewhere, by the rules of the protocol: what is not understood is left out, and nothing in it refers outside of it.
 *
 * @param path names it in messages
 * @throws ProtocolViolation naming the place, what stands there and what is allowed
 */
export function readSchema(value: unknown, path: string): JsonSchema {
  return new SchemaReader(value, path).read();
}

/** The schema that a `$ref` means, in one that was read. */
export function referredTo(root: JsonSchema, reference: string): Subschema {
  const [, section, name = ''] = REFERENCE.exec(reference) ?? [];
  return section === undefined ? root : (root[section as '$defs' | 'definitions']?.[name] ?? false);
}

class SchemaReader {
  readonly #references: { readonly reference: string; readonly path: string }[] = [];
  #values = 0;

  constructor(
    private readonly value: unknown,
    private readonly path: string,
  ) {}

  read(): JsonSchema {
    const { value, path } = this;
    if (!isMap(value)) return refuse(path, value, 'a map');
    const root = this.#map(value, path, 0);
    for (const { reference, path: at } of this.#references) {
      const [, section, name = ''] = REFERENCE.exec(reference)!;
      const isThere = section === undefined || Object.hasOwn(root[section as '$defs'] ?? {}, name);
      if (!isThere) refuse(at, reference, 'a reference to what is there');
    }
    assertGrounded(root, path);
    return root;
  }

  schema(value: unknown, path: string, depth: number): Subschema {
    if (typeof value === 'boolean') return this.#count(value, path);
    return isMap(value) ? this.#map(value, path, depth + 1) : refuse(path, value, 'a schema');
  }

  schemas(value: unknown, path: string, depth: number): Record<string, Subschema> {
    if (!isMap(value)) return refuse(path, value, 'a map of schemas');
    const members = Object.keys(value).length;
    if (members > MAX_PROPERTIES)
      throw new ProtocolViolation(`${path} has ${members} members; at most ${MAX_PROPERTIES} are allowed`);
    const read: [string, Subschema][] = Object.entries(value).map(([name, schema]) => [
      name,
      this.schema(schema, `${path}.${bounded(name)}`, depth + 1),
    ]);
    return Object.fromEntries(read);
  }

  alternatives(value: unknown, path: string, depth: number): Subschema[] {
    const read = this.list(value, path, (schema, at) => this.schema(schema, at, depth + 1));
    return read.length > 0 ? read : refuse(path, value, 'a list of at least one schema');
  }

  /** Only those of the root can be referred to. */
  definitions(value: unknown, path: string, depth: number): Record<string, Subschema> | undefined {
    if (depth > 0) return undefined;
    if (!isMap(value)) return refuse(path, value, 'a map of schemas');
    for (const name of Object.keys(value)) {
      if (!NAME.test(name)) refuse(path, name, 'names of letters, digits, _, . and -, at most 128 of them');
    }
    return this.schemas(value, path, depth);
  }

  reference(value: unknown, path: string): string {
    if (typeof value !== 'string' || !REFERENCE.test(value)) {
      return refuse(path, value, "'#', '#/$defs/NAME' or '#/definitions/NAME'");
    }
    this.#references.push({ reference: value, path });
    return value;
  }

  list<Item>(value: unknown, path: string, read: (item: unknown, path: string) => Item): Item[] {
    if (!Array.isArray(value)) return refuse(path, value, 'a list');
    return this.#count(value, path).map((item, index) => read(this.#count(item, path), `${path}[${index}]`));
  }

  /** A value as such, of which only the size matters. */
  data(value: unknown, path: string, depth: number): unknown {
    if (depth > MAX_DEPTH) throw new ProtocolViolation(`${path} is nested more than ${MAX_DEPTH} deep`);
    this.#count(value, path);
    if (typeof value !== 'object' || value === null) return value;
    for (const member of Object.values(value)) this.data(member, path, depth + 1);
    return value;
  }

  #map(map: Record<string, unknown>, path: string, depth: number): JsonSchema {
    if (depth > MAX_DEPTH) throw new ProtocolViolation(`${path} is nested more than ${MAX_DEPTH} deep`);
    this.#count(map, path);
    const read: Record<string, unknown> = {};
    for (const [keyword, value] of Object.entries(map)) {
      this.#count(keyword, path);
      if (!Object.hasOwn(KEYWORDS, keyword)) continue;
      const result = KEYWORDS[keyword as keyof JsonSchema](this, value, `${path}.${keyword}`, depth);
      if (result !== undefined) read[keyword] = result;
    }
    // What its names are checked by is not understood: neither can be said which are left over.
    if ('patternProperties' in map) delete read['additionalProperties'];
    return read;
  }

  #count<Value>(value: Value, path: string): Value {
    this.#values += 1;
    if (this.#values > MAX_VALUES)
      throw new ProtocolViolation(`${path}: the schema has more than ${MAX_VALUES} values`);
    return value;
  }
}

/** Refuses a schema by which a value would be checked without end: one that comes back to itself without a step into the value. */
function assertGrounded(root: JsonSchema, path: string): void {
  const grounded = new Set<Subschema>();
  const open = new Set<Subschema>();
  const visit = (schema: Subschema): void => {
    if (typeof schema === 'boolean' || grounded.has(schema)) return;
    if (open.has(schema)) throw new ProtocolViolation(`${path} applies itself to the same value without end`);
    open.add(schema);
    if (schema.$ref !== undefined) visit(referredTo(root, schema.$ref));
    for (const keyword of IN_PLACE) [schema[keyword] ?? []].flat().forEach(visit);
    open.delete(schema);
    grounded.add(schema);
  };
  const everywhere = (schema: Subschema): void => {
    if (typeof schema === 'boolean') return;
    visit(schema);
    const { items, additionalProperties, propertyNames, prefixItems = [], properties = {}, not } = schema;
    const { $defs = {}, definitions = {}, anyOf = [], oneOf: one = [], allOf = [] } = schema;
    const parts = [items, additionalProperties, propertyNames, not, ...prefixItems, ...anyOf, ...one, ...allOf];
    for (const part of parts) if (part !== undefined) everywhere(part);
    for (const map of [properties, $defs, definitions]) Object.values(map).forEach(everywhere);
  };
  everywhere(root);
}

function text(value: unknown, path: string): string {
  return typeof value === 'string' ? value : refuse(path, value, 'a string');
}

function number(_: SchemaReader, value: unknown, path: string): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : refuse(path, value, 'a finite number');
}

function count(_: SchemaReader, value: unknown, path: string): number {
  const isCount = Number.isSafeInteger(value) && (value as number) >= 0;
  return isCount ? (value as number) : refuse(path, value, 'an integer of 0 or more');
}

function oneOf(values: readonly string[], value: unknown, path: string): string {
  return values.includes(value as string) ? (value as string) : refuse(path, value, `one of ${values.join(', ')}`);
}

function refuse(path: string, value: unknown, allowed: string): never {
  throw new ProtocolViolation(`${path} is ${describeValue(value)}; expected ${allowed}`);
}

function bounded(name: string): string {
  return name.slice(0, 128);
}
