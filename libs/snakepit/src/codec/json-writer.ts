import {
  checkInteger,
  checkString,
  classify,
  hasToJson,
  passOn,
  Refusal,
  refuseDepth,
  refuseUnsendable,
} from './outgoing.js';

/**
 * Checks `value` and turns it into lists, maps, scalars and the four kinds that need a tag (Uint8Array, Date, bigint
 * and floats that JSON lacks). Returns the same object where nothing had to be changed.
 */
export function toJsonValue(value: unknown, depthLeft: number, maxDepth: number, allowsTags: boolean): unknown {
  switch (typeof value) {
    case 'string':
      checkString(value);
      return value;
    case 'number':
      return allowsTags || Number.isFinite(value) ? value : refuseTag('a float that JSON lacks');
    case 'boolean':
      return value;
    case 'undefined':
      return null;
    case 'bigint':
      return toJsonInteger(value, allowsTags);
    case 'object':
      return value === null ? null : toJsonObject(value, depthLeft, maxDepth, allowsTags);
    default:
      return refuseUnsendable(value);
  }
}

function toJsonInteger(value: bigint, allowsTags: boolean): number | bigint {
  checkInteger(value);
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  return allowsTags ? value : refuseTag('a 64-bit integer');
}

function toJsonObject(value: object, depthLeft: number, maxDepth: number, allowsTags: boolean): unknown {
  if (Array.isArray(value)) return toJsonList(value, depthLeft, maxDepth, allowsTags);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    return toJsonMap(value, depthLeft, maxDepth, allowsTags, true);
  }
  const outgoing = classify(value);
  switch (outgoing.kind) {
    case 'bytes':
      return allowsTags ? outgoing.bytes : refuseTag('binary');
    case 'time':
      return allowsTags ? new Date(outgoing.time) : refuseTag('a time');
    case 'properties':
      return toJsonMap(outgoing.object, depthLeft, maxDepth, allowsTags, false);
    case 'instead':
      return toJsonInstead(outgoing.value, depthLeft, maxDepth, allowsTags);
  }
}

/** `toJSON` is asked once: what it returns is taken by its properties even if it has a `toJSON` again. */
function toJsonInstead(value: unknown, depthLeft: number, maxDepth: number, allowsTags: boolean): unknown {
  const repeats = typeof value === 'object' && value !== null && !Array.isArray(value) && hasToJson(value);
  return repeats && !(value instanceof Date)
    ? toJsonMap(value, depthLeft, maxDepth, allowsTags, false)
    : toJsonValue(value, depthLeft, maxDepth, allowsTags);
}

function toJsonList(list: readonly unknown[], depthLeft: number, maxDepth: number, allowsTags: boolean): unknown {
  if (depthLeft === 0) refuseDepth(list, maxDepth);
  let changed: unknown[] | undefined;
  let index = 0;
  try {
    for (; index < list.length; index += 1) {
      const item = list[index];
      const sent = toJsonValue(item, depthLeft - 1, maxDepth, allowsTags);
      if (changed !== undefined) changed.push(sent);
      else if (sent !== item && item !== undefined && item === item) changed = [...list.slice(0, index), sent];
    }
  } catch (thrown) {
    passOn(thrown, list, index);
  }
  return changed ?? list;
}

function toJsonMap(
  map: object,
  depthLeft: number,
  maxDepth: number,
  allowsTags: boolean,
  asksToJson: boolean,
): unknown {
  if (depthLeft === 0) refuseDepth(map, maxDepth);
  const values = map as Record<string, unknown>;
  let changed: Record<string, unknown> | undefined = asksToJson ? undefined : copyOf(map);
  let key = '';
  try {
    for (key of Object.keys(map)) {
      const value = values[key];
      if (value === undefined) continue;
      if (typeof value === 'function' && key === 'toJSON') {
        if (!asksToJson) continue;
        return toJsonInstead(value.call(map, ''), depthLeft, maxDepth, allowsTags);
      }
      checkString(key);
      const sent = toJsonValue(value, depthLeft - 1, maxDepth, allowsTags);
      if (sent === value || value !== value) continue;
      changed ??= copyOf(map);
      changed[key] = sent;
    }
  } catch (thrown) {
    passOn(thrown, map, key);
  }
  return changed ?? map;
}

/** Without a prototype, so that `__proto__` is a key as any other, and without a `toJSON` that JSON.stringify would ask. */
function copyOf(map: object): Record<string, unknown> {
  const copy = Object.assign(Object.create(null) as Record<string, unknown>, map);
  if (typeof copy['toJSON'] === 'function') delete copy['toJSON'];
  return copy;
}

function refuseTag(what: string): never {
  throw new Refusal(`is ${what}, which plain JSON cannot carry; use codec 'msgpack' or protocol v2`);
}

/** Whether a value from `toJsonValue` holds anything that JSON has no form for. */
export function needsTags(value: unknown): boolean {
  switch (typeof value) {
    case 'number':
      return !Number.isFinite(value) || Object.is(value, -0);
    case 'bigint':
      return true;
    case 'object':
      if (value === null) return false;
      if (Array.isArray(value)) return value.some(needsTags);
      if (value instanceof Uint8Array || value instanceof Date) return true;
      return Object.values(value).some(needsTags);
    default:
      return false;
  }
}

/** Binary attachments that follow the text. */
interface Attachments {
  readonly attachments: Uint8Array[];
  bytes: number;
}

/** Copies a value from `toJsonValue`, with tags for what JSON has no form for. */
export function tagJson(value: unknown, to: Attachments): unknown {
  switch (typeof value) {
    case 'number':
      if (Object.is(value, -0)) return { $float: '-0' };
      return Number.isFinite(value) ? value : { $float: String(value) };
    case 'bigint':
      return { $int: String(value) };
    case 'object':
      return value === null ? null : tagObject(value, to);
    default:
      return value;
  }
}

function tagObject(value: object, to: Attachments): unknown {
  if (Array.isArray(value)) return value.map((item) => tagJson(item, to));
  if (value instanceof Date) return { $time: value.toISOString() };
  if (value instanceof Uint8Array) {
    const offset = to.bytes;
    to.attachments.push(value);
    to.bytes += value.length;
    return { $bin: [offset, value.length] };
  }
  const tagged = Object.create(null) as Record<string, unknown>;
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) tagged[key] = tagJson(member, to);
  }
  const keys = Object.keys(tagged);
  return keys.length === 1 && keys[0]!.startsWith('$') ? { $esc: tagged } : tagged;
}
