import type { ByteWriter } from './byte-writer.js';
import type { Codec, CodecLimits, CodecOptions } from './codec.js';
import { MAX_ELEMENTS } from './element-limit.js';
import { Flag } from './frame.js';
import { ProtocolViolation } from './failures.js';
import { MsgpackDecoder } from './msgpack-decoder.js';
import { writeListHeader, writeMsgpack } from './msgpack-encoder.js';
import { ENVELOPE_DEPTH, toEncodeError } from './outgoing.js';

export class MsgpackCodec implements Codec {
  readonly name = 'msgpack';
  readonly #maxDepth: number;
  readonly #decoder: MsgpackDecoder;

  constructor({ maxDepth, maxElements = MAX_ELEMENTS }: CodecLimits, { store }: CodecOptions) {
    this.#maxDepth = maxDepth;
    this.#decoder = new MsgpackDecoder(maxDepth + ENVELOPE_DEPTH, maxElements, store);
  }

  encode(value: unknown, out: ByteWriter, root = 'args', envelopeDepth = 0): number {
    try {
      writeMsgpack(out, value, this.#maxDepth + envelopeDepth, this.#maxDepth);
    } catch (thrown) {
      throw toEncodeError(thrown, root);
    }
    return 0;
  }

  encodeWithMeta(meta: object, args: unknown, out: ByteWriter): number {
    writeListHeader(out, 2);
    this.encode(meta, out, 'meta');
    return this.encode(args, out);
  }

  decode(bytes: Buffer, start: number, end: number, flags: number): unknown {
    if ((flags & Flag.TAGGED) !== 0) throw new ProtocolViolation('TAGGED is set on a MessagePack body');
    return start === end ? null : this.#decoder.decode(bytes, start, end);
  }
}
