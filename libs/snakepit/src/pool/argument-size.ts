/** So many values of one call are looked at, so that a look costs the same whatever was passed. */
const MOST_LOOKS = 64;
/** Of a list or map that has more items, this many are taken for all. */
const SAMPLE = 16;
/** A number, a reference, the place of a member. */
const SLOT_BYTES = 8;

let looksLeft = 0;

/**
 * Roughly how many bytes the arguments of a call keep while it waits. Binary and strings are exact but for the strings' encoding; of
 * long lists a sample stands for all.
 */
export function sizeOfArguments(args: unknown): number {
  looksLeft = MOST_LOOKS;
  try {
    return sizeOf(args);
  } catch {
    // A getter has thrown. It will do so again when the arguments are encoded, which tells the caller.
    return SLOT_BYTES;
  }
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return SLOT_BYTES + value.length;
  if (typeof value !== 'object' || value === null || looksLeft <= 0) return SLOT_BYTES;
  looksLeft -= 1;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return SLOT_BYTES + value.byteLength;
  if (Array.isArray(value)) return sizeOfList(value);
  if (value instanceof Map) return scaled([...firstOf(value.keys()), ...firstOf(value.values())], value.size * 2);
  if (value instanceof Set) return scaled(firstOf(value), value.size);
  return sizeOfMembers(value as Record<string, unknown>);
}

function sizeOfList(list: readonly unknown[]): number {
  const { length } = list;
  const step = length <= SAMPLE ? 1 : length / SAMPLE;
  let bytes = 0;
  let count = 0;
  for (let at = 0; at < length; at += step) {
    bytes += sizeOf(list[Math.floor(at)]);
    count += 1;
  }
  return SLOT_BYTES + (count === 0 ? 0 : (bytes / count) * length);
}

function sizeOfMembers(members: Readonly<Record<string, unknown>>): number {
  let bytes = SLOT_BYTES;
  let count = 0;
  for (const name in members) {
    if (count === SAMPLE) return (bytes / count) * Object.keys(members).length;
    bytes += SLOT_BYTES + sizeOf(members[name]);
    count += 1;
  }
  return bytes;
}

function scaled(sample: readonly unknown[], length: number): number {
  const bytes = sample.reduce<number>((sum, each) => sum + sizeOf(each), 0);
  return SLOT_BYTES + (sample.length === 0 ? 0 : (bytes / sample.length) * length);
}

function firstOf(items: Iterable<unknown>): unknown[] {
  const first: unknown[] = [];
  for (const item of items) {
    first.push(item);
    if (first.length === SAMPLE) break;
  }
  return first;
}
