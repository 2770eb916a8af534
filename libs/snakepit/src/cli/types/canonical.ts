/** A value of JSON as text that does not depend on the order of its members, `properties` excepted, whose order people have chosen. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(ordered(value, false));
}

function ordered(value: unknown, keepsOrder: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => ordered(item, false));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  if (!keepsOrder) entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, ordered(item, key === 'properties' && !keepsOrder)]));
}
