import { types } from 'node:util';

import { describeValue, isPlainObject, SnakepitError } from '../core/index.js';

/**
 * Values by key: the metadata or the programs of a session. Frozen and without a prototype, so that keys such as
 * `__proto__` and `constructor` are keys like any other.
 */
export type DataMap = Readonly<Record<string, unknown>>;

/** Keeps a value with its wrapping below the 64 levels that the wire allows. */
const MAX_DEPTH = 60;
/** What a number, a boolean, null, or the place of an element in its container counts. */
const SLOT_BYTES = 8;
/** What every string, list, map and block of bytes counts besides its contents. */
const HEADER_BYTES = 16;
const LARGEST_INTEGER = 2n ** 64n - 1n;
const SMALLEST_INTEGER = -(2n ** 63n);

/** Sizes of snapshots taken earlier: neither copied nor measured again. */
const sizes = new WeakMap<object, number>();

export interface SnapshotLimits {
  /** Where the value stands, for messages, such as `args.value`. */
  readonly path: string;
  /** What was asked for, for messages, such as `session.write`. */
  readonly command: string;
  /** Largest estimated size of the value. */
  readonly maxValueBytes: number;
}

/**
 * A frozen copy of `value`, which later changes to the original do not reach. Bytes and dates cannot be frozen: they are
 * copied, and whoever reads them from a session must not change them.
 *
 * Only what the wire can carry is accepted: null, booleans, numbers, strings, 64-bit bigints, Uint8Array, Date, lists
 * and plain objects. As in JSON, `undefined` members of objects are left out and `undefined` items of lists become null.
 *
 * @throws SnakepitError INVALID_ARGUMENTS for any other value, one nested too deeply (or holding itself) or too large, with
 * the path to it.
 */
export function snapshot(value: unknown, limits: SnapshotLimits): unknown {
  return isSnapshot(value) && bytesOf(value) <= limits.maxValueBytes ? value : new Snapshot(limits).take(value);
}

/** Whether {@link snapshot} made it. A map within itself is copied as any other, or its depth would never be checked. */
function isSnapshot(value: unknown): boolean {
  return isObject(value) && sizes.has(value) && Object.getPrototypeOf(value) !== null;
}

/** A {@link DataMap} with a {@link snapshot} of each value of a plain object. */
export function dataMap(given: unknown, limits: SnapshotLimits): DataMap {
  if (isObject(given) && Object.isFrozen(given) && Object.getPrototypeOf(given) === null && sizes.has(given)) {
    return given as DataMap;
  }
  if (!isPlainObject(given)) refuse(limits.path, limits, `is ${describeValue(given)}; allowed is a plain object`);
  const copy = emptyMap();
  for (const [key, value] of Object.entries(given)) {
    if (value !== undefined) copy[key] = snapshot(value, { ...limits, path: `${limits.path}.${key}` });
  }
  return Object.freeze(copy);
}

/** `map` with `key` set to `value`, which must be a {@link snapshot}. */
export function withKey(map: DataMap, key: string, value: unknown): DataMap {
  const before = bytesOf(map) - (Object.hasOwn(map, key) ? entryBytes(key, map[key]) : 0);
  const next = Object.assign(emptyMap(), map);
  next[key] = value;
  sizes.set(next, before + entryBytes(key, value));
  return Object.freeze(next);
}

/** `map` without `key`. */
export function withoutKey(map: DataMap, key: string): DataMap {
  if (!Object.hasOwn(map, key)) return map;
  const bytes = bytesOf(map) - entryBytes(key, map[key]);
  const next = Object.assign(emptyMap(), map);
  delete next[key];
  sizes.set(next, bytes);
  return Object.freeze(next);
}

/**
 * Estimated size of a value in bytes: UTF-8 for strings, 8 for a number or the place of an element, 16 for the header of
 * every string, list and map. The heap's own figure differs with the engine's representation.
 */
export function bytesOf(value: unknown): number {
  if (!isObject(value)) return measure(value);
  const known = sizes.get(value);
  if (known !== undefined) return known;
  const bytes = Object.getPrototypeOf(value) === null ? mapBytes(value as DataMap) : measure(value);
  if (Object.isFrozen(value)) sizes.set(value, bytes);
  return bytes;
}

/** Estimated size in bytes of one entry of a {@link DataMap}. */
export function entryBytes(key: string, value: unknown): number {
  return SLOT_BYTES + HEADER_BYTES + Buffer.byteLength(key) + bytesOf(value);
}

function mapBytes(map: DataMap): number {
  return Object.keys(map).reduce((bytes, key) => bytes + entryBytes(key, map[key]), HEADER_BYTES);
}

function measure(value: unknown): number {
  const walk = new Snapshot({ path: 'value', command: 'session', maxValueBytes: Infinity });
  walk.take(value);
  return walk.bytes;
}

/** One walk over a value: checks, copies, freezes and measures it. */
class Snapshot {
  bytes = 0;
  /** Keys from the root to where the walk is. */
  readonly #trail: (string | number)[] = [];

  constructor(private readonly limits: SnapshotLimits) {}

  take(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
        this.#count(HEADER_BYTES + Buffer.byteLength(value));
        return value;
      case 'number':
      case 'boolean':
        this.#count(SLOT_BYTES);
        return value;
      case 'bigint':
        if (value > LARGEST_INTEGER || value < SMALLEST_INTEGER) this.#refuse('is an integer of more than 64 bits');
        this.#count(SLOT_BYTES);
        return value;
      case 'object':
        if (value !== null) return this.#takeObject(value);
        this.#count(SLOT_BYTES);
        return null;
      default:
        return this.#refuse(`is ${describeValue(value)}, which cannot be sent to a worker`);
    }
  }

  #takeObject(value: object): unknown {
    if (this.#trail.length >= MAX_DEPTH) this.#refuse(`is nested deeper than ${MAX_DEPTH} levels, or holds itself`);
    this.#count(HEADER_BYTES);
    if (types.isUint8Array(value)) {
      this.#count(value.byteLength);
      return new Uint8Array(value);
    }
    if (types.isDate(value)) return new Date(value.getTime());
    const before = this.bytes - HEADER_BYTES;
    const copy = Array.isArray(value) ? this.#takeList(value) : this.#takeMap(value);
    if (this.#trail.length === 0) sizes.set(copy, this.bytes - before);
    return copy;
  }

  #takeList(list: readonly unknown[]): readonly unknown[] {
    const copy: unknown[] = [];
    for (let index = 0; index < list.length; index += 1) copy.push(this.#takeChild(index, list[index] ?? null));
    return Object.freeze(copy);
  }

  #takeMap(map: object): object {
    if (!isPlainObject(map)) this.#refuse(`is ${describeValue(map)}; allowed are plain objects, so convert it first`);
    const copy = {};
    for (const [key, value] of Object.entries(map)) {
      if (value === undefined) continue;
      this.#count(HEADER_BYTES + Buffer.byteLength(key));
      const child = this.#takeChild(key, value);
      // Assigning to `__proto__` would set the prototype instead of a key.
      if (key === '__proto__') Object.defineProperty(copy, key, { value: child, enumerable: true });
      else (copy as Record<string, unknown>)[key] = child;
    }
    return Object.freeze(copy);
  }

  #takeChild(key: string | number, value: unknown): unknown {
    this.#count(SLOT_BYTES);
    this.#trail.push(key);
    const copy = this.take(value);
    this.#trail.pop();
    return copy;
  }

  #count(bytes: number): void {
    this.bytes += bytes;
    const { maxValueBytes, path } = this.limits;
    if (this.bytes > maxValueBytes) {
      refuse(path, this.limits, `is larger than ${maxValueBytes} bytes; store less or raise 'maxValueBytes'`);
    }
  }

  #refuse(problem: string): never {
    const trail = this.#trail.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`));
    return refuse(this.limits.path + trail.join(''), this.limits, problem);
  }
}

function refuse(path: string, limits: SnapshotLimits, problem: string): never {
  throw new SnakepitError('INVALID_ARGUMENTS', { command: limits.command, path, reason: `'${path}' ${problem}.` });
}

function emptyMap(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
