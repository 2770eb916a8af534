import {
  BinaryTooLarge,
  ByteWriter,
  createCodec,
  Flag,
  type BinaryForm,
  type Codec,
  type CodecName,
} from 'nestjs-snakepit/codec';
import type { Body, BodyInit } from 'nestjs-snakepit/codec/grpc';

import { FrameTooLarge } from '../failures.js';

/** Up to this many bytes the writer's memory is kept for the next value. */
const COPY_UP_TO = 64 * 1024;

export interface ValueLimits {
  readonly maxFrameBytes: number;
  readonly maxDepth: number;
  /** Whether the host understands typed arrays. */
  readonly keepsTypes: boolean;
}

/** Values as the bodies of one attachment. */
export class ValueCodec {
  readonly maxFrameBytes: number;
  readonly #codec: Codec;
  readonly #form: BinaryForm;
  readonly #out = new ByteWriter();

  constructor(codec: CodecName, { maxFrameBytes, maxDepth, keepsTypes }: ValueLimits) {
    this.maxFrameBytes = maxFrameBytes;
    this.#codec = createCodec(codec, { maxDepth });
    this.#form = { keepsTypes, maxBytes: maxFrameBytes, store: undefined };
  }

  /**
   * @param root what the value is called in error paths
   * @param envelopeDepth levels that the value may be nested deeper than `maxDepth`, because it is an envelope
   * @throws EncodeError or FrameTooLarge
   */
  encode(value: unknown, root: string, envelopeDepth = 0): BodyInit {
    if (value === null) return {};
    const out = this.#out;
    out.binary = this.#form;
    try {
      const flags = this.#codec.encode(value, out, root, envelopeDepth);
      if (out.position > this.maxFrameBytes) throw new FrameTooLarge(root, out.position, this.maxFrameBytes);
      return { data: this.#takeBytes(), tagged: (flags & Flag.TAGGED) !== 0 };
    } catch (error) {
      out.rollback(0);
      throw error instanceof BinaryTooLarge ? new FrameTooLarge(root, error.bytes, this.maxFrameBytes) : error;
    }
  }

  /** @throws ProtocolViolation for bytes that are no value */
  decode(data: Buffer, isTagged: boolean): unknown {
    return this.#codec.decode(data, 0, data.length, isTagged ? Flag.TAGGED : 0);
  }

  /** No bytes are null, as is a body that was left out. */
  decodeBody(body: Body | undefined): unknown {
    return body === undefined ? null : this.decode(body.data, body.tagged);
  }

  #takeBytes(): Buffer {
    const { position } = this.#out;
    if (position > COPY_UP_TO) return this.#out.take();
    const bytes = Buffer.from(this.#out.buffer.subarray(0, position));
    this.#out.rollback(0);
    return bytes;
  }
}
