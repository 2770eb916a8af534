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

/** Whether a value in the notation of the vectors has something of this tag. */
export function hasTag(value: unknown, tag: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return tag in value || Object.values(value).some((each) => hasTag(each, tag));
}
