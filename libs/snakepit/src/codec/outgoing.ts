import { EncodeError } from './failures.js';
import { isSendable } from './utf8.js';

/** Bounds of what the wire calls an integer. */
export const MIN_INTEGER = -(2n ** 63n);
export const MAX_INTEGER = 2n ** 64n - 1n;

/** The years RFC 3339 can write, as milliseconds since the epoch. */
const MIN_TIME = Date.parse('0000-01-01T00:00:00.000Z');
const MAX_TIME = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * A value that cannot be sent. It leaves the place where it was noticed and gathers the path on its way up, so that
 * values which can be sent pay nothing for paths.
 */
export class Refusal extends Error {
  readonly trail: { readonly container: object; readonly key: string | number }[] = [];

  constructor(
    readonly reason: string,
    /** Set when the nesting was too deep, the sign by which cycles are found. */
    readonly tooDeep?: object,
  ) {
    super(reason);
  }
}

/** Notes that `thrown` passed `container` under `key` and throws it on. */
export function passOn(thrown: unknown, container: object, key: string | number): never {
  if (thrown instanceof Refusal) thrown.trail.push({ container, key });
  throw thrown;
}

export function refuseDepth(value: object, maxDepth: number): never {
  throw new Refusal(`is nested deeper than maxDepth (${maxDepth}); send a flatter value or raise 'maxDepth'`, value);
}

/** Turns what encoding threw into the error that callers see. */
export function toEncodeError(thrown: unknown, root: string): unknown {
  if (!(thrown instanceof Refusal)) return thrown;
  const trail = thrown.trail.toReversed();
  if (thrown.tooDeep !== undefined) {
    const ancestors: object[] = [...trail.map((step) => step.container), thrown.tooDeep];
    const again = ancestors.findIndex((ancestor, index) => ancestors.indexOf(ancestor) < index);
    if (again >= 0) {
      const first = pathOf(root, trail.slice(0, ancestors.indexOf(ancestors[again]!)));
      const path = pathOf(root, trail.slice(0, again));
      return new EncodeError(path, `is a cycle: it leads back to ${first || 'the value itself'}; send a tree`);
    }
  }
  return new EncodeError(pathOf(root, trail), thrown.reason);
}

function pathOf(root: string, trail: readonly { readonly key: string | number }[]): string {
  let path = root;
  for (const { key } of trail) {
    if (typeof key === 'number') path += `[${key}]`;
    else if (!/^[A-Za-z_$][\w$]*$/.test(key)) path += `[${JSON.stringify(key)}]`;
    else path += path === '' ? key : `.${key}`;
  }
  return path;
}

/** What a member of a map is called in paths: `args.items`. */
export function memberPath(root: string, name: string): string {
  return pathOf(root, [{ key: name }]);
}

/** Refuses what has no form on the wire whatever the codec is. */
export function refuseUnsendable(value: unknown): never {
  if (typeof value === 'function') throw new Refusal('is a function, which cannot leave this process; send data');
  throw new Refusal('is a symbol, which cannot leave this process; send a string');
}

export function checkInteger(value: bigint): void {
  if (value < MIN_INTEGER || value > MAX_INTEGER) {
    throw new Refusal('is an integer outside -2^63 to 2^64-1; send it as a string');
  }
}

export function checkString(value: string): void {
  if (!isSendable(value)) {
    throw new Refusal('is a string with a lone surrogate, which UTF-8 cannot carry; call toWellFormed() or send bytes');
  }
}

/** Milliseconds since the epoch. */
export function checkedTime(value: Date): number {
  const time = value.getTime();
  if (Number.isNaN(time)) throw new Refusal('is an invalid Date; send null or a valid one');
  if (time < MIN_TIME || time > MAX_TIME) throw new Refusal('is a Date outside the years 0 to 9999; send a number');
  return time;
}

/** The bytes that a view shows. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return view instanceof Uint8Array ? view : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Objects that look sendable and are not: by their `Object.prototype.toString` tag, with the remedy. */
const REFUSED_TAGS: Readonly<Record<string, string>> = {
  '[object Map]': 'is a Map; send Object.fromEntries(map) or a list of pairs',
  '[object Set]': 'is a Set; send [...set]',
  '[object WeakMap]': 'is a WeakMap, which cannot be read out; send data',
  '[object WeakSet]': 'is a WeakSet, which cannot be read out; send data',
  '[object WeakRef]': 'is a WeakRef; send what it refers to',
  '[object Promise]': 'is a Promise; await it first',
  '[object RegExp]': 'is a RegExp; send its source',
  '[object Error]': 'is an Error; send its message, or throw it',
  '[object DOMException]': 'is an Error; send its message, or throw it',
  '[object Generator]': 'is a generator; send [...generator]',
  '[object AsyncGenerator]': 'is an async generator; collect it first',
};

/** What an object that is neither a list nor a plain object is sent as. */
export type Outgoing =
  | { readonly kind: 'time'; readonly time: number }
  | { readonly kind: 'binary'; readonly view: ArrayBufferView }
  /** Its own enumerable properties. */
  | { readonly kind: 'properties'; readonly object: object }
  /** What its `toJSON` or `valueOf` gave. */
  | { readonly kind: 'instead'; readonly value: unknown };

const PROPERTIES = (object: object): Outgoing => ({ kind: 'properties', object });

/** Decides how an instance of a class goes out. */
export function classify(value: object): Outgoing {
  if (ArrayBuffer.isView(value)) return { kind: 'binary', view: value };
  const tag = Object.prototype.toString.call(value);
  switch (tag) {
    case '[object Date]':
      return { kind: 'time', time: checkedTime(value as Date) };
    case '[object ArrayBuffer]':
    case '[object SharedArrayBuffer]':
      return { kind: 'binary', view: new Uint8Array(value as ArrayBuffer) };
    case '[object Number]':
    case '[object String]':
    case '[object Boolean]':
    case '[object BigInt]':
      return { kind: 'instead', value: value.valueOf() };
    default: {
      const refusal = REFUSED_TAGS[tag];
      if (refusal !== undefined || value instanceof Error)
        throw new Refusal(refusal ?? REFUSED_TAGS['[object Error]']!);
      return hasToJson(value) ? { kind: 'instead', value: value.toJSON() } : PROPERTIES(value);
    }
  }
}

export function hasToJson(value: object): value is { toJSON(): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function';
}

/** Levels by which envelopes (a call's `[meta, args]`, a host call's `{args: {value}}`) nest what they carry. */
export const ENVELOPE_DEPTH = 2;
