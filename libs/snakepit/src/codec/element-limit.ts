import { ProtocolViolation } from './failures.js';

/**
 * How many values a body may hold where nobody says: as many as numbers of eight bytes fit into the default `maxFrameBytes`. Its
 * size alone does not bound what a body takes in memory: an empty map is one byte on the wire, and sixty-four in V8.
 */
export const MAX_ELEMENTS = 8 * 1024 * 1024;

/** A value that is binary takes as much memory as so many others, beside its bytes. */
export const BINARY_ELEMENTS = 4;

export function refuseElements(maxElements: number): never {
  throw new ProtocolViolation(`a body holds more than maxElements (${maxElements}) values`);
}

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
/** Of lists; those of maps are 0x20 more. */
const OPENING = 0x5b;
const CLOSING = 0x5d;
const TO_BRACE = 0x20;

/**
 * Counts the values in JSON text before anything is made of it: each is followed by a comma, or by the bracket that closes what it
 * is in.
 *
 * @throws ProtocolViolation when there are more than `maxElements`
 */
export function checkJsonElements(bytes: Buffer, start: number, end: number, maxElements: number): void {
  // Each takes two bytes at least: most texts are too short to have so many.
  if ((end - start) / 2 < maxElements) return;
  let left = maxElements;
  let isInString = false;
  let isEmpty = false;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at]!;
    if (isInString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isInString = false;
      continue;
    }
    if (byte <= SPACE) continue;
    const isClosing = byte === CLOSING || byte === CLOSING + TO_BRACE;
    if (byte === COMMA || (isClosing && !isEmpty)) left -= 1;
    if (left < 0) refuseElements(maxElements);
    isInString = byte === QUOTE;
    isEmpty = byte === OPENING || byte === OPENING + TO_BRACE;
  }
}
