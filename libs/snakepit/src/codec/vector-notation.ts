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
