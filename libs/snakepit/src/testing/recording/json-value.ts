import { elementTypeName, elementTypeNamed, elementTypeOf, PLAIN_BYTES, viewOf } from '../../codec/typed-array.js';

/** A value as JSON holds it: what JSON has no form for is a map with one key that begins with `$`. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Writes what a codec has decoded; keys in their order, or sorted, so that equal maps are written equally. */
export function toJson(value: unknown, keys: 'as-they-are' | 'sorted' = 'as-they-are'): JsonValue {
  switch (typeof value) {
    case 'number':
      if (Object.is(value, -0)) return { $float: '-0' };
      return Number.isFinite(value) ? value : { $float: String(value) };
    case 'bigint':
      return { $int: String(value) };
    case 'string':
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : objectToJson(value, keys);
    default:
      return null;
  }
}

function objectToJson(value: object, keys: 'as-they-are' | 'sorted'): JsonValue {
  if (Array.isArray(value)) return value.map((item) => toJson(item, keys));
  if (value instanceof Date) return { $time: value.toISOString() };
  if (ArrayBuffer.isView(value)) return viewToJson(value);
  const entries = Object.entries(value);
  if (keys === 'sorted') entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const map = ownMap(entries.map(([key, member]) => [key, toJson(member, keys)]));
  return entries.length === 1 && entries[0]![0].startsWith('$') ? { $esc: map } : map;
}

function viewToJson(view: ArrayBufferView): JsonValue {
  const base64 = Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64');
  const type = elementTypeOf(view);
  return type === PLAIN_BYTES ? { $bin: base64 } : { $typed: [elementTypeName(type), base64] };
}

/** Reads what {@link toJson} has written; each time anew, so that nobody shares what he gets. */
export function fromJson(json: JsonValue): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (isList(json)) return json.map(fromJson);
  const entries = Object.entries(json);
  const [tag, content] = entries[0] ?? [];
  if (entries.length !== 1 || tag === undefined || !tag.startsWith('$')) return mapFromJson(json);
  switch (tag) {
    case '$float':
      return Number(content);
    case '$int':
      return BigInt(content as string);
    case '$time':
      return new Date(content as string);
    case '$bin':
      return bytesOf(content);
    case '$typed': {
      const [type, base64] = content as readonly JsonValue[];
      return viewOf(elementTypeNamed(type), bytesOf(base64));
    }
    case '$esc':
      return mapFromJson(content as { readonly [key: string]: JsonValue });
    default:
      throw new SyntaxError(`'${tag}' is no tag; known are $float, $int, $time, $bin, $typed and $esc`);
  }
}

function bytesOf(base64: JsonValue | undefined): Buffer {
  return Buffer.from(Uint8Array.from(Buffer.from(String(base64), 'base64')).buffer);
}

function mapFromJson(json: { readonly [key: string]: JsonValue }): unknown {
  return Object.fromEntries(Object.entries(json).map(([key, member]) => [key, fromJson(member)]));
}

/** `Object.fromEntries` makes own members of all keys, `__proto__` included. */
function ownMap(entries: readonly (readonly [string, JsonValue])[]): { readonly [key: string]: JsonValue } {
  return Object.fromEntries(entries);
}

function isList(json: JsonValue): json is readonly JsonValue[] {
  return Array.isArray(json);
}
