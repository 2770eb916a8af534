// JSON as people type and read it in a shell. What JSON lacks is an object with one key, as in the JSON of the wire
// (proto/PROTOCOL.md, "Values"), but that binary stands in the text.

const TAGS = { integer: '$int', float: '$float', time: '$time', binary: '$base64', escape: '$esc' } as const;

const FLOATS: Readonly<Record<string, number>> = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity, '-0': -0 };

/** A result as JSON. Typed arrays become lists of numbers. */
export function toJsonText(value: unknown, indent?: number): string {
  return JSON.stringify(tagged(value), undefined, indent);
}

/** @throws SyntaxError that says what is wrong with the text */
export function fromJsonText(text: string): unknown {
  return untagged(JSON.parse(text));
}

function tagged(value: unknown): unknown {
  switch (typeof value) {
    case 'number':
      if (Object.is(value, -0)) return { [TAGS.float]: '-0' };
      return Number.isFinite(value) ? value : { [TAGS.float]: String(value) };
    case 'bigint':
      return { [TAGS.integer]: String(value) };
    case 'undefined':
      return null;
    case 'object':
      return value === null ? null : taggedObject(value);
    default:
      return value;
  }
}

function taggedObject(value: object): unknown {
  if (value instanceof Date) return { [TAGS.time]: value.toISOString() };
  if (value instanceof Uint8Array) return { [TAGS.binary]: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(tagged);
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>, tagged);
  const object = mapped(value, tagged);
  return isTag(object) ? { [TAGS.escape]: object } : object;
}

function untagged(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(untagged);
  if (!isTag(value)) return mapped(value, untagged);
  const [[tag, content]] = Object.entries(value) as [[string, unknown]];
  if (tag === TAGS.escape && typeof content === 'object' && content !== null) return mapped(content, untagged);
  const read = typeof content === 'string' ? readTag(tag, content) : undefined;
  if (read !== undefined) return read;
  throw new SyntaxError(
    `${JSON.stringify(value)} is no value: an object whose only key begins with '$' means one of ` +
      `{"$int":"DIGITS"}, {"$float":"NaN"}, {"$time":"2026-01-31T12:00:00Z"} or {"$base64":"TEXT"}, and {"$esc":{…}} the object itself`,
  );
}

function readTag(tag: string, content: string): unknown {
  switch (tag) {
    case TAGS.integer:
      return /^-?\d+$/.test(content) ? BigInt(content) : undefined;
    case TAGS.float:
      return Object.hasOwn(FLOATS, content) ? FLOATS[content] : undefined;
    case TAGS.time:
      return Number.isNaN(Date.parse(content)) ? undefined : new Date(content);
    case TAGS.binary:
      return isBase64(content) ? Buffer.from(content, 'base64') : undefined;
    default:
      return undefined;
  }
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

function isTag(object: object): boolean {
  const [key, ...others] = Object.keys(object);
  return key !== undefined && others.length === 0 && key.startsWith('$');
}

/** Without a prototype, so that `__proto__` is a key as any other. */
function mapped(object: object, change: (value: unknown) => unknown): object {
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [key, value] of Object.entries(object)) copy[key] = change(value);
  return copy;
}
