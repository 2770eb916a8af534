import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';

import { ByteWriter, FrameReader, MessageReader, ProtocolViolation } from './index.js';

interface Frame {
  readonly kind: number;
  readonly flags: number;
  readonly aux: number;
  readonly id: number;
  readonly body: string;
}

const frames = fc.array(
  fc.record({
    kind: fc.integer({ min: 0, max: 255 }),
    flags: fc.integer({ min: 0, max: 255 }),
    aux: fc.integer({ min: 0, max: 0xffff }),
    id: fc.integer({ min: 0, max: 0xffffffff }),
    body: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  }),
);
const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 });

function bytesOf(list: readonly Frame[]): Buffer {
  const out = new ByteWriter(12);
  for (const { kind, flags, aux, id, body } of list) {
    const start = out.beginFrame();
    const bytes = Buffer.from(body, 'hex');
    out.reserve(bytes.length);
    out.buffer.set(bytes, out.position);
    out.position += bytes.length;
    out.endFrame(start, kind, flags, aux, id);
  }
  return out.take();
}

/** Cuts into pieces of the given lengths, over and over. */
function pieces(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const list: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = lengths[list.length % lengths.length]!;
    // Each chunk is memory of its own, as it is with a socket.
    list.push(Buffer.from(bytes.subarray(at, at + length)));
    at += length;
  }
  return list;
}

function readFrames(reader: FrameReader, chunks: readonly Buffer[]): Frame[] {
  const list: Frame[] = [];
  for (const chunk of chunks) {
    reader.push(chunk, {
      onFrame: (kind, flags, aux, id, bytes, start, end) =>
        list.push({ kind, flags, aux, id, body: bytes.toString('hex', start, end) }),
    });
    chunk.fill(0xee);
  }
  return list;
}

describe('FrameReader', () => {
  it('puts frames together however the bytes are cut', () => {
    fc.assert(
      fc.property(frames, cuts, (list, lengths) => {
        expect(readFrames(new FrameReader(1024), pieces(bytesOf(list), lengths))).toEqual(list);
      }),
      { numRuns: 1000 },
    );
  });

  it('hands on a frame that lies in one chunk without copying it', () => {
    const chunk = bytesOf([{ kind: 1, flags: 0, aux: 0, id: 1, body: 'aabb' }]);
    new FrameReader(16).push(chunk, {
      onFrame: (_kind, _flags, _aux, _id, bytes, start, end) => {
        expect(bytes).toBe(chunk);
        expect([start, end]).toEqual([12, 14]);
      },
    });
  });

  it('refuses an over-long frame at its header, even when the header comes in pieces', () => {
    const header = Buffer.from('0000000500000000deadbeef', 'hex');
    expect(() => readFrames(new FrameReader(4), [header])).toThrow(/5 bytes exceeds maxFrameBytes \(4\)/);
    expect(() => readFrames(new FrameReader(4), pieces(header, [7]))).toThrow(ProtocolViolation);
    expect(readFrames(new FrameReader(5), pieces(header, [7]))).toEqual([]);
  });
});

describe('MessageReader', () => {
  it('puts messages together however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), cuts, (bodies, lengths) => {
        const out = new ByteWriter();
        for (const body of bodies) {
          out.writeUInt32(body.length);
          out.reserve(body.length);
          out.buffer.set(body, out.position);
          out.position += body.length;
        }
        const reader = new MessageReader(40);
        const read: string[] = [];
        for (const chunk of pieces(out.take(), lengths)) {
          reader.push(chunk, { onMessage: (bytes, start, end) => read.push(bytes.toString('hex', start, end)) });
        }
        expect(read).toEqual(bodies.map((body) => Buffer.from(body).toString('hex')));
      }),
    );
  });
});

describe('ByteWriter', () => {
  it('never writes to bytes it handed out until they are given back', () => {
    const out = new ByteWriter(4096);
    const fill = (byte: number, length: number): Buffer => {
      out.reserve(length);
      out.buffer.fill(byte, out.position, out.position + length);
      out.position += length;
      return out.take();
    };
    const taken = [10, 3000, 5000, 100, 4000].map((length, index) => ({ bytes: fill(index, length), index, length }));
    for (const { bytes, index, length } of taken) expect(bytes.equals(Buffer.alloc(length, index))).toBe(true);
    const memory = taken[1]!.bytes.buffer;
    for (const { bytes } of taken) out.recycle(bytes);
    for (const { bytes } of taken) out.recycle(bytes);
    const again = [1, 2, 3, 4, 5, 6].map((byte) => fill(byte, 3000));
    again.forEach((bytes, index) => expect(bytes.equals(Buffer.alloc(3000, index + 1))).toBe(true));
    expect(again.some((bytes) => bytes.buffer === memory)).toBe(true);
    expect(new Set(again.map((bytes) => bytes.buffer)).size).toBe(again.length);
  });

  it('drops a frame that is rolled back', () => {
    const out = new ByteWriter();
    out.frame(0x30, 0, 0, 1);
    const start = out.beginFrame();
    out.writeUInt32(1);
    out.rollback(start);
    out.frame(0x31, 0, 0, 2);
    expect(out.take().toString('hex')).toBe(`${'00000000'}3000000000000001${'00000000'}3100000000000002`);
  });
});
