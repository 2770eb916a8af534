import { inspect } from 'node:util';

const MAX_CHARS = 400;
const MAX_BYTES = 24;

/** A value as a person reads it, cut where it is long. */
export function show(value: unknown): string {
  if (value instanceof Uint8Array) return showBytes(value);
  const text = inspect(value, {
    depth: 6,
    breakLength: Infinity,
    compact: true,
    maxStringLength: 120,
    maxArrayLength: 20,
  });
  return text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text;
}

/** Bytes as hex, the first of them. */
export function showBytes(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.subarray(0, MAX_BYTES)).toString('hex');
  return `${bytes.length} bytes ${hex}${bytes.length > MAX_BYTES ? '…' : ''}`;
}
