// Texts are counted in JavaScript, away from the thread that serves requests.

/** The most frequent words of a text. */
export function topWords({ text, limit }) {
  const counts = new Map();
  for (const [word] of text.toLowerCase().matchAll(/\p{L}{4,}/gu)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].toSorted(([a, m], [b, n]) => n - m || a.localeCompare(b)).slice(0, limit);
}

/** Its sentences, one after the other. */
export function* sentences({ text }) {
  for (const [sentence] of text.matchAll(/[^.!?]+[.!?]/g)) yield sentence.trim();
}

/** Adds the words of a text to those that the session knows, and tells how many were new. */
export async function learn({ text }, ctx) {
  const words = new Set(text.toLowerCase().match(/\p{L}{4,}/gu) ?? []);
  const known = new Set((await ctx.session.get('words')) ?? []);
  const fresh = [...words].filter((word) => !known.has(word));
  await ctx.session.set('words', [...known, ...fresh]);
  return { fresh: fresh.length, known: known.size + fresh.length };
}
