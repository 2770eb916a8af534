import type { JsonValue } from './json-value.js';

const MAX_LINES = 5;
const MAX_TEXT = 80;

/** One place where two values are not the same. */
export interface Difference {
  readonly path: string;
  /** Undefined: there is nothing. */
  readonly recorded: JsonValue | undefined;
  readonly called: JsonValue | undefined;
}

/** All places where arguments differ from recorded ones. */
export function differencesOf(recorded: JsonValue, called: JsonValue, path = 'args'): Difference[] {
  if (JSON.stringify(recorded) === JSON.stringify(called)) return [];
  if (!areAlike(recorded, called)) return [{ path, recorded, called }];
  const keys = new Set([...Object.keys(recorded as object), ...Object.keys(called as object)]);
  return [...keys].flatMap((key) => {
    const before = (recorded as Record<string, JsonValue>)[key];
    const now = (called as Record<string, JsonValue>)[key];
    const place = Array.isArray(called) ? `${path}[${key}]` : `${path}.${key}`;
    if (before === undefined || now === undefined) return [{ path: place, recorded: before, called: now }];
    return differencesOf(before, now, place);
  });
}

/** Both lists, or both maps. */
function areAlike(a: JsonValue, b: JsonValue): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  return Array.isArray(a) === Array.isArray(b);
}

export function describeDifferences(differences: readonly Difference[]): string {
  const lines = differences.slice(0, MAX_LINES).map(({ path, recorded, called }) => {
    if (recorded === undefined) return `${path} is ${textOf(called)}, and not there in the recording`;
    if (called === undefined) return `${path} is missing, and ${textOf(recorded)} in the recording`;
    return `${path} is ${textOf(called)}, and ${textOf(recorded)} in the recording`;
  });
  const more = differences.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more differences`] : [])].map((line) => `\n  ${line}`).join('');
}

function textOf(json: JsonValue | undefined): string {
  const text = JSON.stringify(json);
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 3)}...` : text;
}
