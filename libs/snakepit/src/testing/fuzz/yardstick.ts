/** Bytes a decoded value takes, by rules of thumb that are on the safe side of what V8 really takes. */
export function retainedBytes(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return 16 + 2 * value.length;
    case 'bigint':
      return 24;
    case 'object':
      return value === null ? 8 : retainedByObject(value);
    default:
      return 16;
  }
}

function retainedByObject(value: object): number {
  if (ArrayBuffer.isView(value)) return 200 + value.byteLength;
  if (value instanceof Date) return 96;
  let bytes = 64;
  if (value instanceof Map) {
    for (const [key, item] of value) bytes += 48 + retainedBytes(key) + retainedBytes(item);
    return bytes;
  }
  if (Array.isArray(value)) {
    for (const item of value) bytes += 8 + retainedBytes(item);
    return bytes;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) throw new Error('a decoded map has a prototype of its own');
  for (const key of Object.keys(value))
    bytes += 32 + 2 * key.length + retainedBytes((value as Record<string, unknown>)[key]);
  return bytes;
}
