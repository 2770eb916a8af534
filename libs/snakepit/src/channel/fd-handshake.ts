import type { Socket } from 'node:net';

import {
  Arena,
  ByteWriter,
  createCodec,
  encodeHello,
  FrameReader,
  Kind,
  parseWorkerHello,
  ProtocolViolation,
  type ArenaFile,
  type ErrorBody,
  type FrameSink,
  type WorkerHello,
} from '../codec/index.js';
import { toError, type Clock } from '../core/index.js';
import type { ChannelOwner, WorkerManifest } from './channel.js';
import { FdChannel } from './fd-channel.js';
import { HandshakeRefused } from './handshake-refused.js';
import type { ChannelName } from './remote-failure.js';

export interface FdHandshake {
  readonly name: ChannelName;
  /** In order of preference. */
  readonly codecs: ReadonlyArray<'json' | 'msgpack'>;
  readonly maxFrameBytes: number;
  readonly maxDepth: number;
  /** How many values a body may hold. */
  readonly maxElements?: number | undefined;
  /** Chunks a stream may send before its first grant. */
  readonly streamCredit: number;
  /** How many long calls the worker is to run at once; default 1. */
  readonly concurrency?: number | undefined;
  /** Shared memory that the worker was started with; whoever made it closes it. */
  readonly arena: ArenaGrant | undefined;
  readonly clock: Clock;
}

export interface ArenaGrant {
  readonly file: ArenaFile;
  /** The file's descriptor in the worker. */
  readonly fd: number;
  /** Binary of this size and more goes there. */
  readonly thresholdBytes: number;
}

/**
 * Says hello as protocol v2 prescribes and waits for the worker's hello.
 *
 * @throws HandshakeRefused or ProtocolViolation when the worker refuses, breaks the protocol or closes the socket; whoever
 * calls bounds the wait by destroying the socket.
 */
export function openFdChannel(socket: Socket, handshake: FdHandshake, owner: ChannelOwner): Promise<FdChannel> {
  socket.write(hostHello(handshake));
  return new Promise((resolve, reject) => {
    const reader = new FrameReader(handshake.maxFrameBytes);
    let channel: FdChannel | undefined;

    const onFrame: FrameSink['onFrame'] = (kind, flags, aux, id, bytes, start, end) => {
      // Frames behind the hello may have come in the same chunk.
      if (channel !== undefined) return channel.onFrame(kind, flags, aux, id, bytes, start, end);
      if (kind !== Kind.HELLO)
        throw new ProtocolViolation(`its first frame is of kind 0x${kind.toString(16)}, not a hello`);
      const hello = parseWorkerHello(bytes, start, end);
      if ('error' in hello) throw refusalOf(hello.error);
      channel = acceptHello(socket, reader, hello, handshake, owner);
    };
    const onData = (chunk: Buffer): void => {
      try {
        reader.push(chunk, { onFrame });
      } catch (error) {
        return refuse(toError(error));
      }
      if (channel === undefined) return;
      stopListening();
      channel.listen();
      resolve(channel);
    };
    const onClosed = (): void => refuse(new HandshakeRefused('it closed the channel before it said hello'));
    const refuse = (error: Error): void => {
      stopListening();
      // The hello may be on its way yet, and its failure must not become an uncaught error.
      socket.on('error', () => {});
      reject(error);
    };
    const stopListening = (): void => {
      socket.off('data', onData).off('end', onClosed).off('close', onClosed).off('error', onClosed);
    };
    socket.on('data', onData).on('end', onClosed).on('close', onClosed).on('error', onClosed);
  });
}

function refusalOf({ type, message, traceback }: ErrorBody): HandshakeRefused {
  return new HandshakeRefused(type === undefined ? message : `${type}: ${message}`, { traceback });
}

function hostHello(handshake: FdHandshake): Buffer {
  const { arena, concurrency = 1 } = handshake;
  const out = new ByteWriter();
  encodeHello(
    {
      protocol: [2],
      codecs: [...handshake.codecs],
      maxFrameBytes: handshake.maxFrameBytes,
      maxDepth: handshake.maxDepth,
      streamCredit: handshake.streamCredit,
      workerId: handshake.name.worker,
      pool: handshake.name.pool,
      typedArrays: true,
      ...(arena && { arena: { fd: arena.fd, bytes: arena.file.bytes, thresholdBytes: arena.thresholdBytes } }),
      ...(concurrency > 1 && { concurrency }),
    },
    out,
  );
  return out.take();
}

function acceptHello(
  socket: Socket,
  reader: FrameReader,
  hello: WorkerHello,
  handshake: FdHandshake,
  owner: ChannelOwner,
): FdChannel {
  if (!handshake.codecs.includes(hello.codec)) {
    throw new HandshakeRefused(`it chose the codec '${hello.codec}', which was not offered`);
  }
  const { name, maxFrameBytes, clock } = handshake;
  const manifest: WorkerManifest = {
    protocol: 'v2',
    codec: hello.codec,
    language: hello.language,
    runtime: hello.runtime,
    sdk: hello.sdk,
    commands: hello.commands,
    answersWhileBusy: hello.answersWhileBusy ?? true,
    ...(hello.stackSignal && { stackSignal: hello.stackSignal }),
    ...(hello.batches && { takesBatches: true }),
  };
  const arena = hello.arena === true ? openArena(handshake, owner) : undefined;
  const { maxDepth, maxElements } = handshake;
  const codec = createCodec(hello.codec, { maxDepth, maxElements }, { store: arena });
  const keepsTypes = hello.typedArrays === true;
  return new FdChannel({ socket, reader, codec, arena, keepsTypes, manifest, name, maxFrameBytes, clock, owner });
}

function openArena({ arena, maxFrameBytes }: FdHandshake, owner: ChannelOwner): Arena {
  if (arena === undefined) throw new ProtocolViolation('it accepted an arena that was not offered');
  const { file, thresholdBytes } = arena;
  const message = "the arena is full; large arguments go through the socket until there is room; raise 'arena.bytes'";
  const onFull = (): void => owner.onLog({ level: 'warn', message });
  return new Arena({ file, side: 'host', thresholdBytes, maxFrameBytes, onFull });
}
