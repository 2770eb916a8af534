/** Characters that end a line, or change how it reads, wherever they stand. */
// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Surrogate}/gu;

/** A text in single quotes. */
export function quoted(text: string): string {
  const inner = escaped(JSON.stringify(text).slice(1, -1)).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner}'`;
}

/** A value as a literal type; `unknown` for what is none. */
export function literal(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  const isLiteral =
    value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
  return isLiteral ? String(value) : 'unknown';
}

/** JSON text that can stand on one line of source. */
export function escaped(json: string): string {
  return json.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A doc comment, or nothing for no lines; what would end it early is broken up. */
export function docComment(lines: readonly string[], indent: string): string {
  const safe = lines
    .flatMap((line) => line.split(/\r?\n/))
    .map((line) => line.replace(UNSAFE, ' ').replaceAll('*/', '*\\/').trim())
    .filter((line) => line !== '');
  if (safe.length === 0) return '';
  if (safe.length === 1) return `${indent}/** ${safe[0]} */\n`;
  return `${indent}/**\n${safe.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`;
}
