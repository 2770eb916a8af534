import { describeValue } from './bounded-text.js';
import { ProtocolViolation } from './failures.js';

type ViewClass = new (buffer: ArrayBuffer, byteOffset: number, length: number) => ArrayBufferView;

interface ElementType {
  /** In the first byte of the MessagePack extensions; 0 stands for plain binary. */
  readonly code: number;
  /** In the tags of JSON. */
  readonly name: string;
  readonly bytes: number;
  readonly view: ViewClass;
}

/** The kinds of views that keep their type on the wire; the table of proto/PROTOCOL.md. */
const ELEMENT_TYPES: readonly ElementType[] = [
  { code: 1, name: 'i1', bytes: 1, view: Int8Array },
  { code: 2, name: 'u1c', bytes: 1, view: Uint8ClampedArray },
  { code: 3, name: 'i2', bytes: 2, view: Int16Array },
  { code: 4, name: 'u2', bytes: 2, view: Uint16Array },
  { code: 5, name: 'i4', bytes: 4, view: Int32Array },
  { code: 6, name: 'u4', bytes: 4, view: Uint32Array },
  { code: 7, name: 'i8', bytes: 8, view: BigInt64Array },
  { code: 8, name: 'u8', bytes: 8, view: BigUint64Array },
  { code: 9, name: 'f4', bytes: 4, view: Float32Array },
  { code: 10, name: 'f8', bytes: 8, view: Float64Array },
  { code: 11, name: 'raw', bytes: 1, view: DataView },
];

const BY_CODE = new Map(ELEMENT_TYPES.map((type) => [type.code, type]));
const BY_NAME = new Map(ELEMENT_TYPES.map((type) => [type.name, type]));
const BY_TAG = new Map(ELEMENT_TYPES.map((type) => [type.view.name, type]));

/** As the keyword `x-elements` of a schema lists them; `u1` stands for plain binary. */
export const TYPED_ARRAY_NAMES: readonly string[] = ['u1', ...ELEMENT_TYPES.map(({ name }) => name)];

/** Binary without an element type: what a Uint8Array or an ArrayBuffer is. */
export const PLAIN_BYTES = 0;

/** The element type's code; PLAIN_BYTES for what has none of its own. */
export function elementTypeOf(view: ArrayBufferView): number {
  if (view instanceof Uint8Array) return PLAIN_BYTES;
  // By the tag, since views may come from another realm, and a class may extend one of these.
  const tag = Object.prototype.toString.call(view).slice('[object '.length, -1);
  return BY_TAG.get(tag)?.code ?? PLAIN_BYTES;
}

export function elementTypeName(code: number): string {
  return BY_CODE.get(code)!.name;
}

/** @throws ProtocolViolation for an unknown name */
export function elementTypeNamed(name: unknown): number {
  const type = BY_NAME.get(name as string);
  if (type === undefined) throw new ProtocolViolation(`unknown element type ${describeValue(name)}`);
  return type.code;
}

/**
 * Shows bytes as the view that was sent, in memory of its own.
 *
 * @throws ProtocolViolation for an unknown type, or a length that is no multiple of its size
 */
export function viewOf(code: number, bytes: Buffer): ArrayBufferView {
  if (code === PLAIN_BYTES) return bytes;
  const type = BY_CODE.get(code);
  if (type === undefined) throw new ProtocolViolation(`unknown element type ${code}`);
  if (bytes.length % type.bytes !== 0) {
    throw new ProtocolViolation(`${bytes.length} bytes are no whole number of elements of type ${type.name}`);
  }
  const own = isOwnMemory(bytes) ? bytes : new Uint8Array(bytes);
  return new type.view(own.buffer as ArrayBuffer, own.byteOffset, own.length / type.bytes);
}

/** Small buffers share the memory of a pool, which `.buffer` of a typed array would show to its owner. */
function isOwnMemory(bytes: Buffer): boolean {
  return bytes.byteOffset === 0 && bytes.buffer.byteLength === bytes.length;
}
