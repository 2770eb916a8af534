const FLOATS = /-?Infinity|NaN/g;

/** A character that stands for nothing in any text: what marks a float cannot be mistaken for a string that was there. */
const MARK = '\u{10ffff}';
const ESCAPED_MARK = /\\udbff\\udfff/i;

/**
 * Python writes floats into JSON that JSON does not have, `NaN`, `Infinity` and `-Infinity`, and reads them back. Returns the same text
 * in plain JSON, with a marked string in place of each; undefined where there is none, or where the marks could be mistaken.
 */
export function markPythonFloats(text: string): string | undefined {
  if (text.includes(MARK) || ESCAPED_MARK.test(text)) return undefined;
  const marked = outsideStrings(text, (plain) => plain.replace(FLOATS, (float) => `"${MARK}${float}"`));
  return marked === text ? undefined : marked;
}

/** Replaces the marked strings in a parsed value, in place. */
export function unmarkPythonFloats(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith(MARK) ? Number(value.slice(MARK.length)) : value;
  if (typeof value !== 'object' || value === null) return value;
  const members = value as Record<string, unknown>;
  for (const key of Object.keys(members)) {
    const member = members[key];
    const unmarked = unmarkPythonFloats(member);
    // Not assigned: a map may have a member of its own that is called `__proto__`.
    if (!Object.is(unmarked, member)) Object.defineProperty(members, key, { value: unmarked });
  }
  return value;
}

/** Changes what lies between the strings of JSON text. */
function outsideStrings(text: string, change: (plain: string) => string): string {
  const parts: string[] = [];
  for (let at = 0; at < text.length;) {
    const opening = text.indexOf('"', at);
    if (opening < 0) return parts.join('') + change(text.slice(at));
    const end = endOfString(text, opening);
    parts.push(change(text.slice(at, opening)), text.slice(opening, end));
    at = end;
  }
  return parts.join('');
}

/** Where the string ends that begins at `opening`: behind its closing quote, or with the text. */
function endOfString(text: string, opening: number): number {
  let at = opening + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return Math.min(at + 1, text.length);
}
