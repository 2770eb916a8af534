import type { Codec, CodecLimits, CodecName, CodecOptions } from './codec.js';
import { JsonCodec } from './json-codec.js';
import { MsgpackCodec } from './msgpack-codec.js';

export function createCodec(name: CodecName, limits: CodecLimits, options: CodecOptions = {}): Codec {
  return name === 'msgpack' ? new MsgpackCodec(limits, options) : new JsonCodec(limits, options);
}
