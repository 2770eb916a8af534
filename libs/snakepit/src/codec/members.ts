import { isMap } from './bodies.js';
import { describeValue } from './bounded-text.js';
import { MAX_ELEMENTS } from './element-limit.js';
import { ProtocolViolation } from './failures.js';
import { readPlainJson } from './json-reader.js';

/** A schema is nested deepest. */
const LIMITS = { maxDepth: 256, maxElements: MAX_ELEMENTS };

/** A body that is plain JSON text whatever the codec is; `what` names it in messages. */
export function parseJson(bytes: Buffer, start: number, end: number, what: string): unknown {
  try {
    return readPlainJson(bytes, start, end, LIMITS);
  } catch (error) {
    if (!(error instanceof ProtocolViolation)) throw error;
    throw new ProtocolViolation(`the ${what} is malformed: ${error.message}`, { cause: error.cause });
  }
}

/** A map whose members are read with a check each. */
export class Members {
  readonly map: Record<string, unknown>;

  constructor(
    value: unknown,
    private readonly path: string,
  ) {
    if (!isMap(value)) throw new ProtocolViolation(`${path} is not a map`);
    this.map = value;
  }

  text(key: string): string {
    const value = this.map[key];
    return typeof value === 'string' && value !== '' ? value : this.refuse(key, 'a string');
  }

  integer(key: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.map[key];
    if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
    const isOpen = max === Number.MAX_SAFE_INTEGER;
    return this.refuse(key, isOpen ? `an integer of ${min} or more` : `an integer from ${min} to ${max}`);
  }

  oneOf<const Values extends readonly string[]>(key: string, values: Values): Values[number] {
    const value = this.map[key];
    return values.includes(value as string) ? (value as string) : this.refuse(key, `one of ${values.join(', ')}`);
  }

  list(key: string): readonly unknown[] {
    const value = this.map[key];
    return Array.isArray(value) ? value : this.refuse(key, 'a list');
  }

  members(key: string): Members {
    return new Members(this.map[key], `${this.path}.${key}`);
  }

  refuse(key: string, allowed: string): never {
    throw new ProtocolViolation(`${this.path}.${key} is ${describeValue(this.map[key])}; expected ${allowed}`);
  }
}
