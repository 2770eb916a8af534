import type { BinaryStore } from './binary.js';
import type { ByteWriter } from './byte-writer.js';
import type { Codec, CodecLimits, CodecOptions } from './codec.js';
import { MAX_ELEMENTS } from './element-limit.js';
import { BinaryTooLarge, EncodeError, ProtocolViolation } from './failures.js';
import { Flag } from './frame.js';
import { readPlainJson, readTaggedJson, type ReadLimits } from './json-reader.js';
import { JsonWalk, tagJson } from './json-writer.js';
import { ENVELOPE_DEPTH, toEncodeError } from './outgoing.js';

export class JsonCodec implements Codec {
  readonly name = 'json';
  readonly #maxDepth: number;
  readonly #readLimits: ReadLimits;
  readonly #allowsTags: boolean;
  readonly #store: BinaryStore | undefined;

  constructor({ maxDepth, maxElements = MAX_ELEMENTS }: CodecLimits, { plainJson = false, store }: CodecOptions) {
    this.#maxDepth = maxDepth;
    this.#readLimits = { maxDepth: maxDepth + ENVELOPE_DEPTH, maxElements };
    this.#store = store;
    this.#allowsTags = !plainJson;
  }

  encode(value: unknown, out: ByteWriter, root = 'args', envelopeDepth = 0): number {
    const walk = new JsonWalk(this.#maxDepth, this.#allowsTags);
    return write(this.#checked(walk, value, root, envelopeDepth), walk.needsTags, out, root);
  }

  encodeWithMeta(meta: object, args: unknown, out: ByteWriter): number {
    const walk = new JsonWalk(this.#maxDepth, this.#allowsTags);
    const pair = [this.#checked(walk, meta, 'meta', 0), this.#checked(walk, args, 'args', 0)];
    return write(pair, walk.needsTags, out, 'args');
  }

  decode(bytes: Buffer, start: number, end: number, flags: number): unknown {
    const isTagged = (flags & Flag.TAGGED) !== 0;
    if (isTagged && !this.#allowsTags) throw new ProtocolViolation('a tagged body where plain JSON is expected');
    if (isTagged) return readTaggedJson(bytes, start, end, this.#readLimits, this.#store);
    return start === end ? null : readPlainJson(bytes, start, end, this.#readLimits);
  }

  #checked(walk: JsonWalk, value: unknown, root: string, envelopeDepth: number): unknown {
    try {
      return walk.value(value, this.#maxDepth + envelopeDepth);
    } catch (thrown) {
      throw toEncodeError(thrown, root);
    }
  }
}

function write(value: unknown, needsTags: boolean, out: ByteWriter, root: string): number {
  try {
    if (needsTags) writeTagged(out, value);
    else writeText(out, JSON.stringify(value));
  } catch (thrown) {
    if (thrown instanceof BinaryTooLarge) throw thrown;
    throw new EncodeError(root, `cannot be written as JSON: ${String(thrown)}`);
  }
  return needsTags ? Flag.TAGGED : 0;
}

function writeTagged(out: ByteWriter, value: unknown): void {
  const attachments: Uint8Array[] = [];
  const text = JSON.stringify(tagJson(value, { attachments, bytes: 0, form: out.binary }));
  const lengthAt = out.position;
  out.writeUInt32(0);
  writeText(out, text);
  out.buffer.writeUInt32BE(out.position - lengthAt - 4, lengthAt);
  for (const bytes of attachments) out.writeBytes(bytes);
}

function writeText(out: ByteWriter, text: string): void {
  // The worst case is three bytes a unit; reserving that for a large text would triple its memory.
  out.reserve(text.length > 4096 ? Buffer.byteLength(text) : text.length * 3);
  out.position += out.buffer.write(text, out.position, 'utf8');
}
