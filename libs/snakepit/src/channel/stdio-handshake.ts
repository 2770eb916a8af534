import type { Readable, Writable } from 'node:stream';

import {
  ByteWriter,
  createCodec,
  encodeV1Request,
  MessageReader,
  negotiationFrame,
  parseNegotiationReply,
  parseV1Reply,
  stackSignalOf,
  type Codec,
  type CodecName,
} from '../codec/index.js';
import { isPlainObject, toError, type Clock, type Timer } from '../core/index.js';
import type { ChannelOwner } from './channel.js';
import { HandshakeRefused } from './handshake-refused.js';
import type { ChannelName } from './remote-failure.js';
import { StdioChannel } from './stdio-channel.js';

export interface StdioHandshake {
  readonly name: ChannelName;
  readonly codec: 'auto' | 'json' | 'msgpack';
  /** How long an unanswered negotiation may take before JSON is assumed. */
  readonly negotiationTimeoutMs: number;
  readonly maxFrameBytes: number;
  readonly maxDepth: number;
  /** How many values a body may hold. */
  readonly maxElements?: number | undefined;
  readonly clock: Clock;
}

/** First byte of JSON text that is an object; no MessagePack map begins with it. */
const OPENING_BRACE = 0x7b;

/**
 * Negotiates the codec where it is `auto`, then pings until the worker answers: any reply in good form is a sign of life.
 *
 * Bridges differ in what they make of a first message they did not expect: some answer it with an error, some swallow it, some are
 * still loading and answer it late. So silence for `negotiationTimeoutMs` means JSON until a selection arrives after all, and the
 * ping is repeated after every such silence.
 *
 * @throws HandshakeRefused or ProtocolViolation when the worker closes its stdout or answers in no known form.
 */
export function openStdioChannel(
  stdin: Writable,
  stdout: Readable,
  handshake: StdioHandshake,
  owner: ChannelOwner,
): Promise<StdioChannel> {
  const { name, maxFrameBytes, maxDepth, maxElements, clock, negotiationTimeoutMs } = handshake;
  const reader = new MessageReader(maxFrameBytes);
  const limits = { maxDepth, maxElements };
  const codecs = {
    json: createCodec('json', limits, { plainJson: true }),
    msgpack: createCodec('msgpack', limits),
  };

  return new Promise((resolve, reject) => {
    let codec: Codec | undefined;
    let channel: StdioChannel | undefined;
    let nextId = 1;
    let silence: Timer | undefined;
    const unanswered = new Set<number>();

    const ping = (chosen: CodecName): void => {
      codec = codecs[chosen];
      const out = new ByteWriter();
      encodeV1Request(codec, { id: nextId, command: 'ping', args: {} }, new Date(clock.wallTime()).toISOString(), out);
      unanswered.add(nextId);
      nextId += 1;
      stdin.write(out.take());
      listenForSilence();
    };
    const listenForSilence = (): void => {
      silence?.cancel();
      silence = clock.after(negotiationTimeoutMs, () => ping(codec?.name ?? 'json'));
    };

    const onMessage = (bytes: Buffer, start: number, end: number): void => {
      // Messages behind the first pong may have come in the same chunk.
      if (channel !== undefined) return channel.onMessage(bytes, start, end);
      const isJson = bytes[start] === OPENING_BRACE;
      const selected = isJson ? parseNegotiationReply(bytes, start, end) : undefined;
      if (selected !== undefined) return selected === codec?.name ? undefined : ping(selected);
      // The negotiation was answered, but not by a selection.
      if (codec === undefined) return ping('json');
      const message = codecs[isJson ? 'json' : 'msgpack'].decode(bytes, start, end, 0);
      // What answers none of our pings is a late answer to the negotiation.
      if (!isPlainObject(message) || !unanswered.delete(message['id'] as number)) return;
      parseV1Reply(message);
      const stackSignal = stackSignalOf(message);
      const parts = {
        stdin,
        stdout,
        reader,
        codec,
        name,
        stackSignal,
        maxFrameBytes,
        clock,
        owner,
        nextId,
        unanswered,
      };
      channel = new StdioChannel(parts);
    };
    const onData = (chunk: Buffer): void => {
      try {
        reader.push(chunk, { onMessage });
      } catch (error) {
        return refuse(toError(error));
      }
      if (channel === undefined) return;
      stopListening();
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
      silence?.cancel();
      stdout.off('data', onData).off('end', onClosed).off('close', onClosed).off('error', onClosed);
      stdin.off('error', onClosed);
    };
    stdout.on('data', onData).on('end', onClosed).on('close', onClosed).on('error', onClosed);
    stdin.on('error', onClosed);

    if (handshake.codec === 'auto') {
      stdin.write(negotiationFrame());
      listenForSilence();
    } else {
      ping(handshake.codec);
    }
  });
}
