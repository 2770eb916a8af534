import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { CodecName } from '../codec/index.js';
import { ConformanceFailure } from './conformance-failure.js';

export interface VectorBody {
  readonly hex: string;
  readonly tagged?: boolean;
}

export interface ValueVector {
  readonly name: string;
  readonly value: unknown;
  readonly json?: VectorBody;
  readonly msgpack?: VectorBody;
  readonly decodeOnly?: boolean;
}

export interface RefusedVector {
  readonly name: string;
  readonly codec: CodecName;
  readonly tagged: boolean;
  readonly hex: string;
}

export interface ValueVectors {
  readonly cases: readonly ValueVector[];
  readonly refused: readonly RefusedVector[];
}

/** Seen from this file: inside the installed package, or beside `libs` in the repository. */
const ROOTS = ['../../proto/vectors/', '../../../../proto/vectors/'];

/** The golden vectors of values. @throws ConformanceFailure when they are not where they should be */
export function loadValueVectors(): ValueVectors {
  const places = ROOTS.map((root) => fileURLToPath(new URL(`${root}values.json`, import.meta.url)));
  const place = places.find((each) => existsSync(each));
  if (place === undefined) {
    throw new ConformanceFailure(`The golden vectors are missing (${places.join(', ')}). Reinstall nestjs-snakepit.`);
  }
  return JSON.parse(readFileSync(place, 'utf8')) as ValueVectors;
}

/** The value that is written in the notation of the vectors: the wire's tagged form, binary as hex. */
export function fromNotation(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(fromNotation);
  const entries = Object.entries(value);
  const [tag, content] = entries[0] ?? [];
  if (entries.length === 1) {
    if (tag === '$int') return BigInt(content as string);
    if (tag === '$float') return Number(content);
    if (tag === '$time') return new Date(content as string);
    if (tag === '$bin') return Buffer.from(content as string, 'hex');
    if (tag === '$typed') return typedFrom(content as [string, string]);
    if (tag === '$esc') return mapFrom(Object.entries(content as object));
  }
  return mapFrom(entries);
}

const VIEWS: Readonly<Record<string, new (buffer: ArrayBuffer) => ArrayBufferView>> = {
  i1: Int8Array,
  u1c: Uint8ClampedArray,
  i2: Int16Array,
  u2: Uint16Array,
  i4: Int32Array,
  u4: Uint32Array,
  i8: BigInt64Array,
  u8: BigUint64Array,
  f4: Float32Array,
  f8: Float64Array,
  raw: DataView,
};

function typedFrom([name, hex]: [string, string]): ArrayBufferView {
  return new VIEWS[name]!(new Uint8Array(Buffer.from(hex, 'hex')).buffer);
}

function mapFrom(entries: readonly [string, unknown][]): object {
  const map = {};
  // Assigning would make `__proto__` something else than a key.
  for (const [key, each] of entries) {
    Object.defineProperty(map, key, {
      value: fromNotation(each),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return map;
}

/** Whether a value in the notation of the vectors has something of this tag. */
export function hasTag(value: unknown, tag: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return tag in value || Object.values(value).some((each) => hasTag(each, tag));
}
