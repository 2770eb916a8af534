import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { splitLines } from './line-splitter.js';

async function linesOf(chunks: readonly Uint8Array[]): Promise<string[]> {
  const stream = new PassThrough();
  const lines: string[] = [];
  splitLines(stream, (line) => lines.push(line));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await finished(stream);
  return lines;
}

/** Cuts `bytes` at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

describe('splitLines', () => {
  it.each([
    ['', []],
    ['a', ['a']],
    ['a\n', ['a']],
    ['a\nb', ['a', 'b']],
    ['a\r\nb\r\n', ['a', 'b']],
    ['\n\n', ['', '']],
    ['a\rb\n', ['a\rb']],
  ])('splits %j', async (text, lines) => {
    expect(await linesOf([Buffer.from(text)])).toEqual(lines);
  });

  it('gives the same lines however the bytes are chunked', async () => {
    const text = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('\n', '\r\n', '€', '🐍', '\r')), {
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(10_000), { maxLength: 12 }), async (pieces, places) => {
        const bytes = Buffer.from(pieces.join(''));
        expect(await linesOf(cut(bytes, places))).toEqual(await linesOf([bytes]));
      }),
    );
  });

  it('hands a long line on in pieces, the same ones however it is chunked', async () => {
    const longLine = fc.integer({ min: 16_380, max: 50_000 }).map((length) => `${'x'.repeat(length)}\nshort\r\n`);
    await fc.assert(
      fc.asyncProperty(longLine, fc.array(fc.nat(60_000), { maxLength: 5 }), async (text, places) => {
        const bytes = Buffer.from(text);
        const lines = await linesOf(cut(bytes, places));
        expect(lines).toEqual(await linesOf([bytes]));
        expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(16_384);
        expect(lines.join('')).toBe(text.replaceAll(/\r?\n/g, ''));
      }),
      { numRuns: 30 },
    );
  });

  it('survives a stream that breaks', () => {
    const stream = new PassThrough();
    splitLines(stream, () => {});
    expect(() => stream.emit('error', new Error('EIO'))).not.toThrow();
  });
});
