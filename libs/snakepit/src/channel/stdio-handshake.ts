import type { Readable, Writable } from 'node:stream';

import {
  ByteWriter,
  createCodec,
  encodeV1Request,
  MessageReader,
  negotiationFrame,
  parseNegotiationReply,
  parseV1Reply,
  ProtocolViolation,
  type Codec,
} from '../codec/index.js';
import { isPlainObject, toError, type Clock } from '../core/index.js';
import type { ChannelOwner } from './channel.js';
import { HandshakeRefused } from './fd-handshake.js';
import type { ChannelName } from './remote-failure.js';
import { StdioChannel } from './stdio-channel.js';

export interface StdioHandshake {
  readonly name: ChannelName;
  readonly codec: 'auto' | 'json' | 'msgpack';
  /** How long an unanswered negotiation may take before JSON is assumed. */
  readonly negotiationTimeoutMs: number;
  readonly maxFrameBytes: number;
  readonly maxDepth: number;
  readonly clock: Clock;
}

const FIRST_ID = 1;

/**
 * Negotiates the codec where it is `auto`, then pings until the worker answers: any reply in good form is a sign of life.
 *
 * A bridge may still answer the negotiation after JSON was assumed; that late answer is told from the ping's by its id, and
 * dropped.
 *
 * @throws HandshakeRefused or ProtocolViolation when the worker closes its stdout or answers in no known form.
 */
export function openStdioChannel(
  stdin: Writable,
  stdout: Readable,
  handshake: StdioHandshake,
  owner: ChannelOwner,
): Promise<StdioChannel> {
  const { name, maxFrameBytes, maxDepth, clock } = handshake;
  const reader = new MessageReader(maxFrameBytes);
  const limits = { maxDepth };

  return new Promise((resolve, reject) => {
    let codec: Codec | undefined;
    let isAnswered = false;

    const ping = (chosen: 'json' | 'msgpack'): void => {
      codec = createCodec(chosen, limits, { plainJson: true });
      const out = new ByteWriter();
      const timestamp = new Date(clock.wallTime()).toISOString();
      encodeV1Request(codec, { id: FIRST_ID, command: 'ping', args: {} }, timestamp, out);
      stdin.write(out.take());
    };
    const assumeJson = clock.after(handshake.negotiationTimeoutMs, () => ping('json'));

    const onMessage = (bytes: Buffer, start: number, end: number): void => {
      if (codec === undefined) {
        assumeJson.cancel();
        return ping(parseNegotiationReply(bytes, start, end) ?? 'json');
      }
      const message = codec.decode(bytes, start, end, 0);
      // Whatever has another id is a late answer to the negotiation.
      if (!isPlainObject(message) || message['id'] !== FIRST_ID) return;
      parseV1Reply(message);
      if (isAnswered) throw new ProtocolViolation('a second answer to the ping, which nobody asked for');
      isAnswered = true;
    };
    const onData = (chunk: Buffer): void => {
      try {
        reader.push(chunk, { onMessage });
      } catch (error) {
        return refuse(toError(error));
      }
      if (!isAnswered || codec === undefined) return;
      stopListening();
      const nextId = FIRST_ID + 1;
      const channel = new StdioChannel({ stdin, stdout, reader, codec, name, maxFrameBytes, clock, owner, nextId });
      channel.listen();
      resolve(channel);
    };
    const onClosed = (): void => refuse(new HandshakeRefused('it closed its stdout before it answered'));
    const refuse = (error: Error): void => {
      stopListening();
      // A request may be on its way yet, and its failure must not become an uncaught error.
      for (const pipe of [stdin, stdout]) pipe.on('error', () => {});
      reject(error);
    };
    const stopListening = (): void => {
      assumeJson.cancel();
      stdout.off('data', onData).off('end', onClosed).off('close', onClosed).off('error', onClosed);
      stdin.off('error', onClosed);
    };
    stdout.on('data', onData).on('end', onClosed).on('close', onClosed).on('error', onClosed);
    stdin.on('error', onClosed);

    if (handshake.codec === 'auto') {
      stdin.write(negotiationFrame());
    } else {
      assumeJson.cancel();
      ping(handshake.codec);
    }
  });
}
