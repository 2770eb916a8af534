import { describe, expect, it } from 'vitest';

import { bitString, namedBits, objectIdentifier, octetString, sequence, time, unsignedInteger } from './der.js';

const hex = (bytes: Buffer): string => bytes.toString('hex');

describe('DER', () => {
  it('writes a length in as few bytes as it needs', () => {
    const heads = [127, 128, 255, 256, 65_536].map((length) => hex(octetString(Buffer.alloc(length))).slice(0, 10));

    expect(heads).toEqual(['047f000000', '0481800000', '0481ff0000', '0482010000', '0483010000']);
  });

  it('writes integers without a sign bit and without needless zeros', () => {
    const integers = [[0], [1], [127], [128], [0, 0, 5], [0, 200], [255, 255], []].map((bytes) =>
      hex(unsignedInteger(Buffer.from(bytes))),
    );

    expect(integers).toEqual(['020100', '020101', '02017f', '02020080', '020105', '020200c8', '020300ffff', '020100']);
  });

  it('writes object identifiers as the standard has them', () => {
    // The first is the example of X.690, 8.19.5.
    expect(hex(objectIdentifier('2.999.3'))).toBe('0603883703');
    expect(hex(objectIdentifier('1.2.840.10045.4.3.2'))).toBe('06082a8648ce3d040302');
    expect(hex(objectIdentifier('2.5.29.19'))).toBe('0603551d13');
  });

  it('leaves out clear bits at the end of named bits', () => {
    expect(hex(namedBits(0))).toBe('03020780');
    expect(hex(namedBits(5, 6))).toBe('03020106');
    expect(hex(namedBits(8))).toBe('0303070080');
    expect(hex(bitString(Buffer.of(1, 2)))).toBe('0303000102');
  });

  it('writes the year of a time with two digits from 1950 until 2049, else with four', () => {
    const times = ['1949-12-31T23:59:59Z', '1950-01-01T00:00:00Z', '2049-12-31T23:59:59.999Z', '2050-01-01T00:00:00Z'];

    expect(times.map((text) => time(new Date(text)).subarray(2).toString())).toEqual([
      '19491231235959Z',
      '500101000000Z',
      '491231235959Z',
      '20500101000000Z',
    ]);
    expect(time(new Date(times[0]!))[0]).toBe(0x18);
    expect(time(new Date(times[1]!))[0]).toBe(0x17);
  });

  it('joins the members of a sequence', () => {
    expect(hex(sequence(unsignedInteger(Buffer.of(1)), sequence()))).toBe('30050201013000');
  });
});
