import { describeValue, SnakepitError } from '../../core/index.js';

type ElementArray =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/** numpy's names of element types, and what holds them here; `width` where an element takes several of those. */
const TYPES = {
  int8: { view: Int8Array, width: 1 },
  int16: { view: Int16Array, width: 1 },
  int32: { view: Int32Array, width: 1 },
  int64: { view: BigInt64Array, width: 1 },
  uint8: { view: Uint8Array, width: 1 },
  uint16: { view: Uint16Array, width: 1 },
  uint32: { view: Uint32Array, width: 1 },
  uint64: { view: BigUint64Array, width: 1 },
  float16: { view: Uint16Array, width: 1 },
  float32: { view: Float32Array, width: 1 },
  float64: { view: Float64Array, width: 1 },
  bool: { view: Uint8Array, width: 1 },
  complex64: { view: Float32Array, width: 2 },
  complex128: { view: Float64Array, width: 2 },
  'datetime64[ns]': { view: BigInt64Array, width: 1 },
  'timedelta64[ns]': { view: BigInt64Array, width: 1 },
} as const;

export type DType = keyof typeof TYPES;

/** What travels as bytes since the wire has no type for its elements. */
const AS_BYTES: ReadonlySet<DType> = new Set(['bool', 'float16', 'complex64', 'complex128']);

const BY_VIEW = new Map<string, DType>([
  ['Int8Array', 'int8'],
  ['Int16Array', 'int16'],
  ['Int32Array', 'int32'],
  ['BigInt64Array', 'int64'],
  ['Uint8Array', 'uint8'],
  ['Buffer', 'uint8'],
  ['Uint8ClampedArray', 'uint8'],
  ['Uint16Array', 'uint16'],
  ['Uint32Array', 'uint32'],
  ['BigUint64Array', 'uint64'],
  ['Float32Array', 'float32'],
  ['Float64Array', 'float64'],
]);

/** @internal An array as the wire carries it. */
export interface WireArray {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: unknown;
}

/**
 * A numpy array: its elements in C order in a typed array, and its shape. Dates and durations are nanoseconds in a BigInt64Array, complex numbers pairs,
 * booleans bytes, float16 its bits.
 */
export class NdArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: ElementArray;

  /** @throws SnakepitError INVALID_ARGUMENTS where the shape and the number of elements do not agree. */
  constructor(data: ElementArray, shape: readonly number[] = [data.length], dtype: DType | undefined = dtypeOf(data)) {
    if (dtype === undefined || !(data instanceof TYPES[dtype].view)) {
      throw invalid(`${describeValue(data)} holds no elements of type '${String(dtype)}'`);
    }
    const count = shape.reduce((product, size) => product * size, TYPES[dtype].width);
    if (!shape.every((size) => Number.isInteger(size) && size >= 0) || count !== data.length) {
      throw invalid(`an array of shape [${shape.join(', ')}] has ${count} elements, and there are ${data.length}`);
    }
    this.data = data;
    this.shape = Object.freeze([...shape]);
    this.dtype = dtype;
  }

  /** Nested numbers as an array of float64. @throws SnakepitError INVALID_ARGUMENTS where lists of one level differ in length. */
  static from(nested: NestedNumbers): NdArray {
    const shape: number[] = [];
    for (let level: NestedNumbers | number | undefined = nested; Array.isArray(level); level = level[0]) {
      shape.push(level.length);
    }
    const data = new Float64Array(shape.reduce((product, size) => product * size, 1));
    let at = 0;
    const fill = (level: NestedNumbers | number, depth: number): void => {
      if (depth === shape.length) {
        if (typeof level !== 'number') throw invalid('an array has numbers at one depth only');
        data[at++] = level;
        return;
      }
      if (typeof level === 'number' || level.length !== shape[depth]) {
        throw invalid(`the lists of level ${depth + 1} differ in length`);
      }
      for (const item of level) fill(item, depth + 1);
    };
    fill(nested, 0);
    return new NdArray(data, shape);
  }

  /** Nested lists, as numpy's `tolist()` makes them; 64-bit integers that a number can hold exactly become numbers. */
  toList(): unknown {
    const { width } = TYPES[this.dtype];
    let at = 0;
    const take = (depth: number): unknown => {
      if (depth < this.shape.length) return Array.from({ length: this.shape[depth]! }, () => take(depth + 1));
      at += width;
      return width === 2 ? [this.data[at - 2], this.data[at - 1]] : this.#element(at - 1);
    };
    return take(0);
  }

  #element(at: number): unknown {
    const value = this.data[at]!;
    if (this.dtype === 'bool') return value !== 0;
    return typeof value === 'bigint' ? plainInteger(value) : value;
  }

  /** @internal */
  toWire(): WireArray {
    const { buffer, byteOffset, byteLength } = this.data;
    const data =
      AS_BYTES.has(this.dtype) || this.dtype === 'uint8' ? new Uint8Array(buffer, byteOffset, byteLength) : this.data;
    return { dtype: this.dtype, shape: this.shape, data };
  }

  /** @internal @throws SnakepitError INVALID_RESULT for what is no array */
  static fromWire({ dtype, shape, data }: WireArray): NdArray {
    if (!Object.hasOwn(TYPES, dtype) || !ArrayBuffer.isView(data)) {
      throw new SnakepitError('INVALID_RESULT', { reason: `: an array of ${describeValue(dtype)} is not known here` });
    }
    const { view: View } = TYPES[dtype as DType];
    if (data.constructor === View) return new NdArray(data as ElementArray, shape, dtype as DType);
    // Views need an aligned beginning, which bytes out of a frame have not.
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    return new NdArray(new View(bytes.buffer), shape, dtype as DType);
  }
}

export type NestedNumbers = readonly number[] | readonly NestedNumbers[];

/** The element type of a view; undefined where numpy has none for it. */
export function dtypeOf(view: ArrayBufferView): DType | undefined {
  return BY_VIEW.get(view.constructor.name);
}

/** A number where that is exact. */
export function plainInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function invalid(reason: string): SnakepitError {
  return new SnakepitError('INVALID_ARGUMENTS', { reason });
}
