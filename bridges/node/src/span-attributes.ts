/// <reference lib="es2024.string" />

/** What spans and their events carry. */
export type SpanAttributes = Readonly<Record<string, unknown>>;

export const MAX_NAME = 256;
const MAX_ATTRIBUTES = 64;
const MAX_ITEMS = 128;
const MAX_TEXT = 4_096;

/** Attributes as they are sent; those that are undefined or null are left out. */
export function boundedAttributes(attributes: SpanAttributes): SpanAttributes {
  const given = Object.entries(attributes).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(given.slice(0, MAX_ATTRIBUTES).map(([key, value]) => [key.toWellFormed(), bounded(value)]));
}

export function boundedText(value: unknown, most = MAX_TEXT): string {
  try {
    return String(value).slice(0, most).toWellFormed();
  } catch {
    return Object.prototype.toString.call(value);
  }
}

function bounded(value: unknown): unknown {
  if (!Array.isArray(value)) return scalar(value);
  const items = value.slice(0, MAX_ITEMS).map(scalar);
  return items.every((item) => typeof item === typeof items[0]) ? items : items.map(String);
}

function scalar(value: unknown): string | number | boolean {
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value;
  return boundedText(value);
}
