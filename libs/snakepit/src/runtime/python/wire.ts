import { isPlainObject, SnakepitError } from '../../core/index.js';
import { DataFrame, Series, type WireColumn, type WireFrame } from './data-frame.js';
import { dtypeOf, NdArray, type WireArray } from './nd-array.js';
import { PythonComplex, PythonDecimal, PythonObject, PythonRef, PythonTuple } from './values.js';

const MAX_DEPTH = 64;
const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 64n - 1n;

/**
 * Arguments as the workers' library commands read them: what plain values cannot say is a map with one key that begins with `@`. A caller's own map that looks like one is
 * escaped, so that data never becomes a reference.
 *
 * @throws SnakepitError INVALID_ARGUMENTS for values nested too deeply
 */
export function encodeArgument(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return value >= INT_MIN && value <= INT_MAX ? value : { '@int': String(value) };
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (depth > MAX_DEPTH) {
    throw new SnakepitError('INVALID_ARGUMENTS', {
      reason: `an argument is nested more than ${MAX_DEPTH} levels deep, or contains itself`,
    });
  }
  const encode = (item: unknown): unknown => encodeArgument(item, depth + 1);
  if (Array.isArray(value)) return value.map(encode);
  if (isPlainObject(value)) return encodeMap(value, encode);
  return encodeInstance(value, encode);
}

function encodeInstance(value: object, encode: (item: unknown) => unknown): unknown {
  if (value instanceof PythonRef) return { '@ref': value.path };
  if (value instanceof NdArray) return { '@ndarray': value.toWire() };
  if (value instanceof DataFrame) return { '@dataframe': value.toWire(encode) };
  if (value instanceof Map) return { '@map': Array.from(value, ([key, item]) => [encode(key), encode(item)]) };
  if (value instanceof Set) return { '@set': Array.from(value, encode) };
  if (value instanceof PythonTuple) return { '@tuple': value.items.map(encode) };
  if (value instanceof PythonComplex) return { '@complex': [value.real, value.imaginary] };
  if (value instanceof PythonDecimal) return { '@decimal': value.text };
  if (value instanceof PythonObject) return encodeKept(value);
  const isNumbers = ArrayBuffer.isView(value) && !(value instanceof Uint8Array) && dtypeOf(value) !== undefined;
  // Binary stays bytes; anything else that cannot travel is refused, with the path to it, when it is sent.
  return isNumbers ? { '@ndarray': new NdArray(value as Float64Array).toWire() } : value;
}

function encodeKept({ type, ref: kept }: PythonObject): unknown {
  if (kept !== undefined) return { '@ref': kept.path };
  throw new SnakepitError('INVALID_ARGUMENTS', {
    reason: `a ${type} that was returned outside of a session is no longer there; call in a session, or store it by 'storeAs'`,
  });
}

function encodeMap(value: Record<string, unknown>, encode: (item: unknown) => unknown): unknown {
  const encoded = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encode(item)]));
  return isTag(encoded) ? { '@esc': encoded } : encoded;
}

/** Results as they are meant. @throws SnakepitError INVALID_RESULT for what is not known here */
export function decodeResult(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decodeResult);
  if (!isPlainObject(value)) return value;
  if (!isTag(value)) return decodeMembers(value);
  const [tag, content] = Object.entries(value)[0]!;
  if (!Object.hasOwn(READERS, tag)) {
    throw new SnakepitError('INVALID_RESULT', { reason: `: the worker sent '${tag}', which is not known here` });
  }
  return READERS[tag]!(content);
}

const READERS: Readonly<Record<string, (content: unknown) => unknown>> = {
  '@esc': (content) => decodeMembers(content as Record<string, unknown>),
  '@int': (content) => BigInt(content as string),
  '@map': (content) =>
    new Map((content as [unknown, unknown][]).map(([key, item]) => [decodeResult(key), decodeResult(item)])),
  '@set': (content) => new Set((content as unknown[]).map(decodeResult)),
  '@complex': (content) => new PythonComplex(...(content as [number, number])),
  '@decimal': (content) => content,
  '@ndarray': (content) => NdArray.fromWire(content as WireArray),
  '@dataframe': (content) => DataFrame.fromWire(content as WireFrame, decodeResult),
  '@series': (content) => Series.fromWire(content as WireColumn & { name: unknown }, decodeResult),
  '@object': (content) => {
    const { type, repr, ref: path, ...details } = content as { type: string; repr: string; ref?: string };
    return new PythonObject(type, repr, path, decodeMembers(details));
  },
};

function decodeMembers(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decodeResult(item)]));
}

function isTag(value: Record<string, unknown>): boolean {
  const [first, ...others] = Object.keys(value);
  return others.length === 0 && first !== undefined && first.startsWith('@');
}
