import type { BinaryForm } from './binary.js';
import { BinaryTooLarge } from './failures.js';
import {
  bytesOf,
  checkInteger,
  checkString,
  classify,
  hasToJson,
  passOn,
  Refusal,
  refuseDepth,
  refuseUnsendable,
} from './outgoing.js';
import { elementTypeName, elementTypeOf, PLAIN_BYTES } from './typed-array.js';

/**
 * Checks a value and turns it into lists, maps, scalars and the four kinds that need a tag (views of binary, Date, bigint
 * and floats that JSON lacks). What needs no change stays the same object.
 */
export class JsonWalk {
  /** Set when something was met that needs a tag. */
  needsTags = false;

  constructor(
    private readonly maxDepth: number,
    private readonly allowsTags: boolean,
  ) {}

  value(value: unknown, depthLeft: number): unknown {
    switch (typeof value) {
      case 'string':
        checkString(value);
        return value;
      case 'number':
        return this.#number(value);
      case 'boolean':
        return value;
      case 'undefined':
        return null;
      case 'bigint':
        return this.#integer(value);
      case 'object':
        return value === null ? null : this.#object(value, depthLeft);
      default:
        return refuseUnsendable(value);
    }
  }

  #number(value: number): number {
    if (!Number.isFinite(value)) return this.#tagged(value, 'a float that JSON lacks');
    if (value === 0 && Object.is(value, -0) && this.allowsTags) this.needsTags = true;
    return value;
  }

  #integer(value: bigint): number | bigint {
    checkInteger(value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : this.#tagged(value, 'a 64-bit integer');
  }

  #tagged<Value>(value: Value, what: string): Value {
    if (!this.allowsTags) {
      throw new Refusal(
        `is ${what}, which plain JSON cannot carry; use protocol v2, or codec 'msgpack' where v1 goes over stdin and stdout`,
      );
    }
    this.needsTags = true;
    return value;
  }

  #object(value: object, depthLeft: number): unknown {
    if (Array.isArray(value)) return this.#list(value, depthLeft);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return this.#map(value, depthLeft, true);
    const outgoing = classify(value);
    switch (outgoing.kind) {
      case 'binary':
        return this.#tagged(outgoing.view, 'binary');
      case 'time':
        return this.#tagged(new Date(outgoing.time), 'a time');
      case 'properties':
        return this.#map(outgoing.object, depthLeft, false);
      case 'instead':
        return this.#instead(outgoing.value, depthLeft);
    }
  }

  /** `toJSON` is asked once: what it returns is taken by its properties even if it has a `toJSON` again. */
  #instead(value: unknown, depthLeft: number): unknown {
    const repeats = typeof value === 'object' && value !== null && !Array.isArray(value) && hasToJson(value);
    return repeats && !(value instanceof Date) ? this.#map(value, depthLeft, false) : this.value(value, depthLeft);
  }

  #list(list: readonly unknown[], depthLeft: number): unknown {
    if (depthLeft === 0) refuseDepth(list, this.maxDepth);
    let changed: unknown[] | undefined;
    let index = 0;
    try {
      for (; index < list.length; index += 1) {
        const item = list[index];
        const sent = this.value(item, depthLeft - 1);
        if (changed !== undefined) changed.push(sent);
        else if (!Object.is(sent, item) && item !== undefined) changed = [...list.slice(0, index), sent];
      }
    } catch (thrown) {
      passOn(thrown, list, index);
    }
    return changed ?? list;
  }

  /** `asksToJson`: whether an own function `toJSON` stands in for the map. */
  #map(map: object, depthLeft: number, asksToJson: boolean): unknown {
    if (depthLeft === 0) refuseDepth(map, this.maxDepth);
    const values = map as Record<string, unknown>;
    let changed: Record<string, unknown> | undefined = asksToJson ? undefined : copyOf(map);
    let key = '';
    try {
      for (key of Object.keys(map)) {
        const value = values[key];
        if (value === undefined) continue;
        if (typeof value === 'function' && key === 'toJSON') {
          if (!asksToJson) continue;
          return this.#instead(value.call(map, ''), depthLeft);
        }
        checkString(key);
        const sent = this.value(value, depthLeft - 1);
        if (Object.is(sent, value)) continue;
        changed ??= copyOf(map);
        changed[key] = sent;
      }
    } catch (thrown) {
      passOn(thrown, map, key);
    }
    return changed ?? map;
  }
}

/** Without a prototype, so that `__proto__` is a key as any other, and without a `toJSON` that JSON.stringify would ask. */
function copyOf(map: object): Record<string, unknown> {
  const copy = Object.assign(Object.create(null) as Record<string, unknown>, map);
  if (typeof copy['toJSON'] === 'function') delete copy['toJSON'];
  return copy;
}

/** Binary attachments that follow the text, and how binary leaves. */
interface Attachments {
  readonly attachments: Uint8Array[];
  bytes: number;
  readonly form: BinaryForm;
}

/** Copies a value from a `JsonWalk`, with tags for what JSON has no form for. */
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
  if (ArrayBuffer.isView(value)) return tagBinary(value, to);
  const tagged = Object.create(null) as Record<string, unknown>;
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) tagged[key] = tagJson(member, to);
  }
  const keys = Object.keys(tagged);
  return keys.length === 1 && keys[0]!.startsWith('$') ? { $esc: tagged } : tagged;
}

function tagBinary(view: ArrayBufferView, to: Attachments): unknown {
  const { keepsTypes, maxBytes } = to.form;
  if (view.byteLength > maxBytes) throw new BinaryTooLarge(view.byteLength, maxBytes);
  const elementType = keepsTypes ? elementTypeOf(view) : PLAIN_BYTES;
  const place = placeBytes(bytesOf(view), to);
  return elementType === PLAIN_BYTES ? place : { $typed: [elementTypeName(elementType), place] };
}

function placeBytes(bytes: Uint8Array, to: Attachments): unknown {
  const inStore = to.form.store?.put(bytes);
  if (inStore !== undefined) return { $shm: [inStore, bytes.length] };
  const offset = to.bytes;
  to.attachments.push(bytes);
  to.bytes += bytes.length;
  return { $bin: [offset, bytes.length] };
}
