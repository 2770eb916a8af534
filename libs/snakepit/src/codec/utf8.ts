/// <reference lib="es2024.string" />
import { isUtf8 } from 'node:buffer';

import { ProtocolViolation } from './failures.js';

const REPLACEMENT = '\u{fffd}';

/** Whether UTF-8 can carry the string: it has no lone surrogate. */
export function isSendable(text: string): boolean {
  return text.isWellFormed();
}

/** @throws ProtocolViolation for bytes that are not UTF-8. */
export function decodeUtf8(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  if (text.includes(REPLACEMENT) && !isUtf8(bytes.subarray(start, end))) {
    throw new ProtocolViolation('a string is not valid UTF-8');
  }
  return text;
}
