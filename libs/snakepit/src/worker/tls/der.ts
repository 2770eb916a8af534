/** Writes the few ASN.1 types of a certificate in DER: https://www.itu.int/rec/T-REC-X.690 */

const Tag = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OBJECT_IDENTIFIER: 0x06,
  UTF8_STRING: 0x0c,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const;

const CONTEXT_SPECIFIC = 0x80;
const CONSTRUCTED = 0x20;

export function sequence(...members: readonly Uint8Array[]): Buffer {
  return element(Tag.SEQUENCE, Buffer.concat(members));
}

/** Of one member: the members of a larger one would have to be sorted. */
export function setOf(member: Uint8Array): Buffer {
  return element(Tag.SET, member);
}

export function boolean(value: boolean): Buffer {
  return element(Tag.BOOLEAN, Buffer.of(value ? 0xff : 0));
}

/** A whole number that is not negative, from its bytes, the highest first. */
export function unsignedInteger(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const digits = bytes.subarray(start);
  // The first bit is the sign.
  const isNegative = (digits[0] ?? 0x80) >= 0x80;
  return element(Tag.INTEGER, isNegative ? Buffer.concat([Buffer.of(0), digits]) : digits);
}

/** A string of whole bytes. */
export function bitString(bytes: Uint8Array): Buffer {
  return element(Tag.BIT_STRING, Buffer.concat([Buffer.of(0), bytes]));
}

/** Named bits, bit 0 being the first; those that are clear at the end are left out, as DER wants it. */
export function namedBits(...bits: readonly number[]): Buffer {
  const last = Math.max(...bits);
  const bytes = Buffer.alloc(1 + (last >> 3) + 1);
  bytes[0] = 7 - (last & 7);
  for (const bit of bits) bytes[1 + (bit >> 3)]! |= 0x80 >> (bit & 7);
  return element(Tag.BIT_STRING, bytes);
}

export function octetString(bytes: Uint8Array): Buffer {
  return element(Tag.OCTET_STRING, bytes);
}

/** From its dotted form, such as `1.2.840.10045.4.3.2`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(Tag.OBJECT_IDENTIFIER, Buffer.concat([first * 40 + second, ...rest].map(base128)));
}

export function utf8String(text: string): Buffer {
  return element(Tag.UTF8_STRING, Buffer.from(text, 'utf8'));
}

/** A time in whole seconds, in the form that RFC 5280 asks for (4.1.2.5): two digits of the year until 2049. */
export function time(date: Date): Buffer {
  const digits = `${date.toISOString().slice(0, 19).replaceAll(/\D/g, '')}Z`;
  const year = date.getUTCFullYear();
  const hasShortForm = year >= 1950 && year < 2050;
  return hasShortForm
    ? element(Tag.UTC_TIME, Buffer.from(digits.slice(2), 'latin1'))
    : element(Tag.GENERALIZED_TIME, Buffer.from(digits, 'latin1'));
}

/** `[number] IMPLICIT` of a simple type. */
export function implicit(number: number, bytes: Uint8Array): Buffer {
  return element(CONTEXT_SPECIFIC | number, bytes);
}

/** `[number] EXPLICIT`. */
export function explicit(number: number, content: Uint8Array): Buffer {
  return element(CONTEXT_SPECIFIC | CONSTRUCTED | number, content);
}

function element(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(tag), lengthOf(content.length), content]);
}

function lengthOf(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.of(bytes);
  const digits: number[] = [];
  for (let rest = bytes; rest > 0; rest >>>= 8) digits.unshift(rest & 0xff);
  return Buffer.of(0x80 | digits.length, ...digits);
}

/** Seven bits to a byte, the highest first; all but the last byte have the high bit set. */
function base128(value: number): Buffer {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift(0x80 | (rest % 128));
  return Buffer.from(digits);
}
