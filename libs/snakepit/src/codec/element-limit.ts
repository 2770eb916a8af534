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

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const OPENING_BRACE = 0x7b;

/**
 * Counts the values in JSON text before anything is made of it; each of them but the first has a comma or a bracket before it.
 *
 * @throws ProtocolViolation when there are more than `maxElements`
 */
export function checkJsonElements(bytes: Buffer, start: number, end: number, maxElements: number): void {
  // Each takes two bytes: most texts are too short to have so many.
  if ((end - start) / 2 < maxElements) return;
  let left = maxElements;
  let isInString = false;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at]!;
    if (isInString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) {
      isInString = true;
    } else if (byte === COMMA || byte === OPENING_BRACKET || byte === OPENING_BRACE) {
      left -= 1;
      if (left < 0) refuseElements(maxElements);
    }
  }
}
