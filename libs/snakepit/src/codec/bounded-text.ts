/** Longer texts are cut: what a worker sent must not decide how much of a log is taken. */
const MAX_LENGTH = 4_096;
const MAX_SCALAR_LENGTH = 80;

/**
 * Any decoded value as text that resembles JSON, at most 4096 characters of it. `JSON.stringify` fails on large integers and on deep
 * nesting, and makes ten times their size of binary.
 */
export function boundedText(value: unknown): string {
  const writer = new BoundedWriter();
  writer.write(value);
  return writer.text;
}

/** What a value is, for messages that refuse it; never more than a few words. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'missing';
    case 'string':
      return JSON.stringify(value.slice(0, MAX_SCALAR_LENGTH));
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `a list of ${value.length}`;
      return ArrayBuffer.isView(value) ? 'binary' : 'a map';
    default:
      return String(value);
  }
}

class BoundedWriter {
  text = '';

  get #isFull(): boolean {
    return this.text.length >= MAX_LENGTH;
  }

  write(value: unknown): void {
    if (typeof value === 'string') return this.#put(JSON.stringify(value.slice(0, MAX_LENGTH)));
    if (typeof value !== 'object' || value === null) return this.#put(String(value));
    if (value instanceof Date) return this.#put(value.toISOString());
    if (ArrayBuffer.isView(value)) return this.#put(`<${value.byteLength} bytes>`);
    if (Array.isArray(value)) return this.#list(value);
    return this.#map(value as Record<string, unknown>);
  }

  #list(items: readonly unknown[]): void {
    this.#put('[');
    for (let index = 0; index < items.length && !this.#isFull; index += 1) {
      if (index > 0) this.#put(',');
      this.write(items[index]);
    }
    this.#put(']');
  }

  #map(map: Readonly<Record<string, unknown>>): void {
    this.#put('{');
    let isFirst = true;
    for (const key in map) {
      if (this.#isFull) break;
      if (!Object.hasOwn(map, key)) continue;
      if (!isFirst) this.#put(',');
      isFirst = false;
      this.write(key);
      this.#put(':');
      this.write(map[key]);
    }
    this.#put('}');
  }

  #put(text: string): void {
    if (!this.#isFull) this.text = (this.text + text).slice(0, MAX_LENGTH);
  }
}
