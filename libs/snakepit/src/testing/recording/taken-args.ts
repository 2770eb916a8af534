import { createCodec } from '../../codec/create-codec.js';
import { ByteWriter, EncodeError } from '../../codec/index.js';
import { refusedArguments } from '../../channel/refused-call.js';
import type { ChannelCall } from '../../channel/index.js';

const LIMITS = { maxDepth: 512 };

/** The arguments of a call as its worker gets them. @throws SnakepitError INVALID_ARGUMENTS as the channel's `send` does */
export function takenArgs(call: ChannelCall, pool: string): unknown {
  const codec = createCodec('msgpack', LIMITS);
  const out = new ByteWriter();
  out.binary = { keepsTypes: true, maxBytes: Infinity, store: undefined };
  try {
    const flags = codec.encode(call.args, out, 'args');
    const bytes = out.take();
    return codec.decode(bytes, 0, bytes.length, flags);
  } catch (error) {
    throw error instanceof EncodeError ? refusedArguments(call.command, pool, error) : error;
  }
}
