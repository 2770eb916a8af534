import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import {
  ByteWriter,
  createCodec,
  FrameReader,
  MessageReader,
  negotiationFrame,
  negotiationReplyFrame,
  parseHostHello,
  parseNegotiationReply,
  parseV1Reply,
  parseV1Request,
  parseWorkerHello,
  ProtocolViolation,
  Flag,
  Kind,
  type CodecName,
} from './index.js';
import { fromNotation } from './vector-notation.js';

interface Body {
  readonly hex: string;
  readonly tagged?: boolean;
}
interface ValueCase {
  readonly name: string;
  readonly value: unknown;
  readonly json?: Body;
  readonly msgpack?: Body;
  readonly decodeOnly?: boolean;
}
interface FrameCase {
  readonly name: string;
  readonly frame: { readonly kind: number; readonly flags: number; readonly aux: number; readonly id: number };
  readonly bodyHex: string;
  readonly hex: string;
}
interface V1Case {
  readonly name: string;
  readonly direction: 'host' | 'worker';
  readonly codec: CodecName;
  readonly message: unknown;
  readonly hex: string;
}

function load<Vectors>(file: string): Vectors {
  return JSON.parse(readFileSync(new URL(`../../../../proto/vectors/${file}`, import.meta.url), 'utf8')) as Vectors;
}

const values = load<{
  cases: ValueCase[];
  refused: { name: string; codec: CodecName; tagged: boolean; hex: string }[];
}>('values.json');
const frames = load<{ cases: FrameCase[]; refused: { name: string; maxFrameBytes: number; hex: string }[] }>(
  'frames.json',
);
const v1 = load<{ cases: V1Case[] }>('v1.json');

describe.each(['json', 'msgpack'] as const)('values.json over %s', (name) => {
  const codec = createCodec(name, { maxDepth: 64 });
  const cases = values.cases.filter((each) => each[name] !== undefined);

  it.each(cases)('decodes $name', (vector) => {
    const { hex, tagged } = vector[name]!;
    // Bytes around the body tell whether its bounds are kept.
    const bytes = Buffer.from(`ff${hex}ff`, 'hex');
    const decoded = codec.decode(bytes, 1, bytes.length - 1, tagged ? Flag.TAGGED : 0);
    expect(decoded).toStrictEqual(fromNotation(vector.value));
  });

  it.each(cases.filter((each) => !each.decodeOnly))('encodes $name', (vector) => {
    const out = new ByteWriter();
    out.binary = { keepsTypes: true, maxBytes: Infinity, store: undefined };
    const flags = codec.encode(fromNotation(vector.value), out);
    expect(out.take().toString('hex')).toBe(vector[name]!.hex);
    expect(flags).toBe(vector[name]!.tagged ? Flag.TAGGED : 0);
  });

  it.each(values.refused.filter((each) => each.codec === name))('refuses $name', ({ hex, tagged }) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(() => codec.decode(bytes, 0, bytes.length, tagged ? Flag.TAGGED : 0)).toThrow(ProtocolViolation);
  });
});

describe('frames.json', () => {
  it('has every kind of frame', () => {
    const kinds = new Set(frames.cases.map((each) => each.frame.kind));
    expect([...kinds].toSorted()).toEqual(Object.values(Kind).toSorted());
  });

  it.each(frames.cases)('reads $name', ({ frame, bodyHex, hex }) => {
    const read: object[] = [];
    new FrameReader(1 << 26).push(Buffer.from(hex, 'hex'), {
      onFrame(kind, flags, aux, id, bytes, start, end) {
        read.push({ kind, flags, aux, id, body: bytes.toString('hex', start, end) });
      },
    });
    expect(read).toEqual([{ ...frame, body: bodyHex }]);
  });

  it.each(frames.cases)('writes $name', ({ frame: { kind, flags, aux, id }, bodyHex, hex }) => {
    const out = new ByteWriter();
    const start = out.beginFrame();
    const body = Buffer.from(bodyHex, 'hex');
    out.reserve(body.length);
    out.buffer.set(body, out.position);
    out.position += body.length;
    expect(out.endFrame(start, kind, flags, aux, id)).toBe(body.length);
    expect(out.take().toString('hex')).toBe(hex);
  });

  it.each(frames.refused)('refuses $name', ({ maxFrameBytes, hex }) => {
    const push = (): void => new FrameReader(maxFrameBytes).push(Buffer.from(hex, 'hex'), { onFrame: () => {} });
    expect(push).toThrow(ProtocolViolation);
  });

  it.each(frames.cases.filter((each) => each.frame.kind === Kind.HELLO))('understands $name', ({ name, bodyHex }) => {
    const body = Buffer.from(bodyHex, 'hex');
    const parse = name.includes('host') ? parseHostHello : parseWorkerHello;
    expect(parse(body, 0, body.length)).toEqual(JSON.parse(body.toString()));
  });
});

describe('v1.json', () => {
  it.each(v1.cases)('$direction $codec: $name', ({ codec: name, direction, message, hex }) => {
    const codec = createCodec(name, { maxDepth: 64 }, { plainJson: true });
    const read: unknown[] = [];
    new MessageReader(1024).push(Buffer.from(hex, 'hex'), {
      onMessage: (bytes, start, end) => read.push(codec.decode(bytes, start, end, 0)),
    });
    expect(read).toStrictEqual([fromNotation(message)]);
    const out = new ByteWriter();
    out.writeUInt32(0);
    codec.encode(fromNotation(message), out);
    out.buffer.writeUInt32BE(out.position - 4, 0);
    expect(out.take().toString('hex')).toBe(hex);
    if ('id' in (message as object) && (message as { id: unknown }).id !== null) {
      (direction === 'host' ? parseV1Request : parseV1Reply)(read[0]);
    }
  });

  it('has the negotiation that the library speaks', () => {
    expect(negotiationFrame().toString('hex')).toBe(v1.cases[0]!.hex);
    expect(negotiationReplyFrame('msgpack').toString('hex')).toBe(v1.cases[1]!.hex);
    const selected = [1, 2, 3].map((index) => {
      const bytes = Buffer.from(v1.cases[index]!.hex, 'hex');
      return parseNegotiationReply(bytes, 4, bytes.length);
    });
    expect(selected).toEqual(['msgpack', 'json', undefined]);
  });
});
