import type { JsonSchema, JsonType, Subschema } from '../../codec/index.js';
import { isIdentifier } from './identifiers.js';
import { docComment, literal, quoted } from './literals.js';

/** The name of the type that a `$ref` means. */
export type NameOf = (reference: string) => string;

const SCALARS = { null: 'null', boolean: 'boolean', integer: 'number', number: 'number', string: 'string' } as const;

const TYPED_ARRAYS: Readonly<Record<string, string>> = {
  i1: 'Int8Array',
  u1: 'Uint8Array',
  u1c: 'Uint8ClampedArray',
  i2: 'Int16Array',
  u2: 'Uint16Array',
  i4: 'Int32Array',
  u4: 'Uint32Array',
  i8: 'BigInt64Array',
  u8: 'BigUint64Array',
  f4: 'Float32Array',
  f8: 'Float64Array',
  raw: 'DataView',
};

/** The type of the values that fit a schema, as TypeScript. Limits have no type, and are left to the check of each call. */
export function typeText(schema: Subschema, nameOf: NameOf): string {
  if (typeof schema === 'boolean') return schema ? 'unknown' : 'never';
  const parts = [ownType(schema, nameOf), ...(schema.allOf ?? []).map((part) => typeText(part, nameOf))];
  for (const alternatives of [schema.anyOf, schema.oneOf]) {
    if (alternatives !== undefined) parts.push(union(alternatives.map((each) => typeText(each, nameOf))));
  }
  const known = [...new Set(parts.filter((part) => part !== 'unknown'))];
  if (known.length > 1) return known.map(grouped).join(' & ');
  return known[0] ?? 'unknown';
}

/** Whether a schema is of a map whose members are known, so that its type can be an interface. */
export function isObject(schema: Subschema): schema is JsonSchema {
  if (typeof schema === 'boolean' || schema.properties === undefined) return false;
  const { type, anyOf, oneOf, allOf, $ref, enum: values } = schema;
  if (anyOf ?? oneOf ?? allOf ?? values ?? $ref) return false;
  return (type === 'object' || type === undefined) && !('const' in schema);
}

/** The members of an interface, with their doc comments, each on a line. */
export function membersText(schema: JsonSchema, nameOf: NameOf, indent: string): string {
  const required = new Set(schema.required);
  const members = Object.entries(schema.properties ?? {}).map(([name, member]) => {
    const key = isIdentifier(name) ? name : quoted(name);
    const optional = required.has(name) ? '' : '?';
    return `${docComment(docOf(member), indent)}${indent}${key}${optional}: ${typeText(member, nameOf)};\n`;
  });
  const others = indexType(schema);
  if (others !== undefined) members.push(`${indent}[name: string]: ${others};\n`);
  return members.join('');
}

/** What a schema says to people. */
export function docOf(schema: Subschema): string[] {
  if (typeof schema === 'boolean') return [];
  const lines = schema.description === undefined ? [] : [schema.description];
  if (schema.default !== undefined && schema.default !== null)
    lines.push(`Default: ${JSON.stringify(schema.default)}.`);
  if (schema.deprecated === true) lines.push('@deprecated');
  return lines;
}

function ownType(schema: JsonSchema, nameOf: NameOf): string {
  if (schema.$ref !== undefined) return nameOf(schema.$ref);
  if (schema.enum !== undefined) return union(schema.enum.map(literal));
  if ('const' in schema) return literal(schema.const);
  if (schema['x-value'] !== undefined) return valueType(schema);
  const { type } = schema;
  if (Array.isArray(type)) return union(type.map((each) => jsonType(each, schema, nameOf)));
  if (type !== undefined) return jsonType(type as JsonType, schema, nameOf);
  if (schema.properties !== undefined) return jsonType('object', schema, nameOf);
  return schema.items !== undefined || schema.prefixItems !== undefined ? jsonType('array', schema, nameOf) : 'unknown';
}

function valueType(schema: JsonSchema): string {
  switch (schema['x-value']!) {
    case 'binary':
      return 'Uint8Array';
    case 'time':
      return 'Date';
    case 'array':
      return union((schema['x-elements'] ?? ['any']).map((name) => TYPED_ARRAYS[name] ?? 'ArrayBufferView'));
  }
}

function jsonType(type: JsonType, schema: JsonSchema, nameOf: NameOf): string {
  if (type === 'array') return arrayType(schema, nameOf);
  return type === 'object' ? objectType(schema, nameOf) : SCALARS[type];
}

function arrayType({ prefixItems, items, minItems = 0, maxItems }: JsonSchema, nameOf: NameOf): string {
  if (prefixItems === undefined) return `${grouped(items === undefined ? 'unknown' : typeText(items, nameOf))}[]`;
  const labels = prefixItems.map((item) => (typeof item === 'boolean' ? undefined : item.title));
  const isLabelled = labels.every((label) => label !== undefined && isIdentifier(label));
  const places = prefixItems.map((item, index) => {
    const optional = index < minItems ? '' : '?';
    const type = typeText(item, nameOf);
    return isLabelled ? `${labels[index]}${optional}: ${type}` : optional ? `${grouped(type)}?` : type;
  });
  if (maxItems === undefined && items !== false) {
    const rest = `${grouped(items === undefined ? 'unknown' : typeText(items, nameOf))}[]`;
    places.push(isLabelled ? `...rest: ${rest}` : `...${rest}`);
  }
  return `[${places.join(', ')}]`;
}

function objectType(schema: JsonSchema, nameOf: NameOf): string {
  const { properties, additionalProperties } = schema;
  if (properties === undefined || Object.keys(properties).length === 0) {
    if (additionalProperties === false) return 'Record<string, never>';
    return `Record<string, ${additionalProperties === undefined ? 'unknown' : typeText(additionalProperties, nameOf)}>`;
  }
  const required = new Set(schema.required);
  const members = Object.entries(properties).map(([name, member]) => {
    const key = isIdentifier(name) ? name : quoted(name);
    return `${key}${required.has(name) ? '' : '?'}: ${typeText(member, nameOf)}`;
  });
  const others = indexType(schema);
  if (others !== undefined) members.push(`[name: string]: ${others}`);
  return `{ ${members.join('; ')} }`;
}

/** Of maps that take other members too; all members must fit it, which only `unknown` makes sure of. */
function indexType({ additionalProperties }: JsonSchema): string | undefined {
  return typeof additionalProperties === 'object' ? 'unknown' : undefined;
}

function union(types: readonly string[]): string {
  const known = new Set(types);
  if (known.has('unknown')) return 'unknown';
  if (known.size > 1) known.delete('never');
  return [...known].join(' | ');
}

function grouped(type: string): string {
  return / [|&] /.test(type) && !/^(\{.*\}|\[.*\]|Record<.*>)$/.test(type) ? `(${type})` : type;
}
