import { createCodec } from '../../codec/create-codec.js';
import { ByteWriter, EncodeError } from '../../codec/index.js';
import type { ChannelCall, WorkerManifest } from '../../channel/index.js';
import { refusedArguments, unknownCommand } from '../../channel/refused-call.js';
import type { ChannelName } from '../../channel/remote-failure.js';

const LIMITS = { maxDepth: 512 };

/** Refuses what the channel would have refused of a call that is not given to it. @throws SnakepitError */
export function requireSendable(call: ChannelCall, manifest: WorkerManifest, { pool }: ChannelName): void {
  const { commands } = manifest;
  const known = commands?.map(({ name }) => name);
  if (known !== undefined && !known.includes(call.command)) throw unknownCommand(call.command, pool, known);
  const plainJson = manifest.protocol === 'v1' && manifest.codec === 'json';
  const out = new ByteWriter();
  // What is large would go through shared memory, perhaps; that it can be sent is all that matters here.
  out.binary = { keepsTypes: true, maxBytes: Infinity, store: undefined };
  try {
    createCodec(manifest.codec, LIMITS, { plainJson }).encode(call.args, out, 'args');
  } catch (error) {
    throw error instanceof EncodeError ? refusedArguments(call.command, pool, error) : error;
  }
}
