const MAX_DEPTH = 128;

/**
 * A value as it is once it has been sent: what has a `toJSON` is what that returns, undefined members are left out, and large integers are numbers, as schemas know no
 * others. For values that did not fit as they are.
 */
export function wireForm(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
  if (value instanceof Date || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value;
  if (Array.isArray(value)) return value.map((item) => wireForm(item, depth + 1));
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    return wireForm((value as { toJSON(): unknown }).toJSON(), depth + 1);
  }
  const sent = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(sent.map(([key, item]) => [key, wireForm(item, depth + 1)]));
}
