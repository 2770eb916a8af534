import type { BinaryStore } from './binary.js';
import type { ByteWriter } from './byte-writer.js';

export const CODEC_NAMES = ['msgpack', 'json'] as const;
export type CodecName = (typeof CODEC_NAMES)[number];

/** Turns values into bodies and back; see "Values" in proto/PROTOCOL.md for what may be sent. */
export interface Codec {
  readonly name: CodecName;
  /**
   * Appends `value` and returns the frame's flags for it (`Flag.TAGGED` or 0).
   *
   * @param root what the value is called in error paths, `args` if left out
   * @param envelopeDepth levels that the value may be nested deeper than `maxDepth`, because it is an envelope
   * @throws EncodeError naming the place; `out` then holds a part of the value, which the caller rolls back
   */
  encode(value: unknown, out: ByteWriter, root?: string, envelopeDepth?: number): number;
  /** Appends `[meta, args]`, the value of a CALL with `Flag.META`; paths and depth count from `args`. */
  encodeWithMeta(meta: object, args: unknown, out: ByteWriter): number;
  /**
   * Reads the value in `bytes` from `start` to `end`; an empty body is null. What it returns does not depend on the
   * bytes any more.
   *
   * @throws ProtocolViolation for anything malformed
   */
  decode(bytes: Buffer, start: number, end: number, flags: number): unknown;
}

export interface CodecLimits {
  /** How many lists and maps may contain each other. */
  readonly maxDepth: number;
  /** How many values one body may hold: items of lists, members of maps; default 8388608. */
  readonly maxElements?: number | undefined;
}

export interface CodecOptions {
  /** Protocol v1's JSON: a value that needs a tag is refused. */
  readonly plainJson?: boolean;
  /** Where references that arrive lead; without it they are refused. How binary leaves is said by the writer. */
  readonly store?: BinaryStore | undefined;
}
