import { checkWorkerHello, createCodec, ProtocolViolation, type CodecName, type WorkerHello } from '../codec/index.js';
import {
  CommandKind,
  decodeWorkerBatch,
  encodeHostBatch,
  WorkerService,
  type Command,
  type Software,
  type WorkerHello as HelloMessage,
} from '../codec/grpc/index.js';
import { toError, type Clock } from '../core/index.js';
import type { ChannelOwner, WorkerManifest } from './channel.js';
import { attachFailure } from './grpc-attach-failure.js';
import { GrpcChannel } from './grpc-channel.js';
import { connect, type GrpcConnection, type GrpcTarget } from './grpc-connection.js';
import { Status } from './grpc-failure.js';
import { loadGrpcLibrary, type GrpcListener, type GrpcRpc } from './grpc-library.js';
import { HandshakeRefused } from './handshake-refused.js';
import type { ChannelName } from './remote-failure.js';

export interface GrpcHandshake {
  readonly target: GrpcTarget;
  readonly name: ChannelName;
  /** In order of preference. */
  readonly codecs: ReadonlyArray<CodecName>;
  readonly maxFrameBytes: number;
  readonly maxDepth: number;
  /** How many values a body may hold. */
  readonly maxElements?: number | undefined;
  /** Chunks a stream may send before its first grant. */
  readonly streamCredit: number;
  /** How many long calls the worker gets at once. */
  readonly concurrency?: number | undefined;
  /** Gives up; a worker of this host's own is ended instead. */
  readonly signal?: AbortSignal;
  readonly clock: Clock;
}

/**
 * Connects to a worker's server, opens the control stream and exchanges hellos on it.
 *
 * @throws HandshakeRefused with the remedy when there is no connection, or the worker refuses; ProtocolViolation when its
 * hello makes no sense; SnakepitError MISUSE without the package @grpc/grpc-js
 */
export async function openGrpcChannel(handshake: GrpcHandshake, owner: ChannelOwner): Promise<GrpcChannel> {
  const library = await loadGrpcLibrary();
  const { target, maxFrameBytes, signal } = handshake;
  const connection = connect(library, target, maxFrameBytes);
  const attaching = new Attaching(connection, handshake, owner);
  const giveUp = (): void => attaching.giveUp();
  signal?.addEventListener('abort', giveUp, { once: true });
  if (signal?.aborted) giveUp();
  try {
    return await attaching.channel;
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

/** The control stream until the hello, and what hands its messages to the channel from then on. */
class Attaching implements GrpcListener {
  readonly channel: Promise<GrpcChannel>;
  readonly #connection: GrpcConnection;
  readonly #handshake: GrpcHandshake;
  readonly #owner: ChannelOwner;
  readonly #control: GrpcRpc;
  #opened: GrpcChannel | undefined;
  #accept: (channel: GrpcChannel) => void = () => {};
  #refuse: (error: Error) => void = () => {};

  constructor(connection: GrpcConnection, handshake: GrpcHandshake, owner: ChannelOwner) {
    this.#connection = connection;
    this.#handshake = handshake;
    this.#owner = owner;
    this.channel = new Promise((resolve, reject) => {
      this.#accept = resolve;
      this.#refuse = reject;
    });
    this.#control = connection.start(WorkerService.attach.path, Infinity, this);
    this.#control.sendMessageWithContext({}, encodeHostBatch({ messages: [{ hello: hostHello(handshake) }] }));
    this.#control.startRead();
  }

  giveUp(): void {
    this.#control.cancelWithStatus(Status.CANCELLED, 'the host has given up');
  }

  onReceiveMetadata(): void {}

  onReceiveMessage(bytes: Buffer): void {
    if (this.#opened !== undefined) return this.#opened.onReceiveMessage(bytes);
    try {
      const [first, ...rest] = decodeWorkerBatch(bytes).messages;
      if (first?.hello === undefined) throw new ProtocolViolation('its first message is no hello');
      const channel = this.#accepted(first.hello);
      for (const message of rest) channel.onWorkerMessage(message);
      this.#opened = channel;
      this.#accept(channel);
    } catch (error) {
      this.#refuse(toError(error));
      return this.giveUp();
    }
    this.#control.startRead();
  }

  onReceiveStatus(status: Parameters<GrpcListener['onReceiveStatus']>[0]): void {
    if (this.#opened !== undefined) return this.#opened.onReceiveStatus(status);
    this.#refuse(attachFailure(status, this.#handshake.target, 'v2'));
  }

  #accepted(message: HelloMessage): GrpcChannel {
    const { target, name, codecs, maxDepth, maxElements, clock } = this.#handshake;
    const hello = checkWorkerHello(helloOf(message));
    if ('error' in hello) throw new HandshakeRefused(hello.error.message);
    if (!codecs.includes(hello.codec)) {
      throw new HandshakeRefused(`it chose the codec '${hello.codec}', which was not offered`);
    }
    if (message.attachment === 0) throw new ProtocolViolation('hello.attachment is 0');
    return new GrpcChannel({
      connection: this.#connection,
      control: this.#control,
      attachment: message.attachment,
      codec: createCodec(hello.codec, { maxDepth, maxElements }),
      keepsTypes: message.typedArrays,
      manifest: manifestOf(hello),
      name,
      maxFrameBytes: Math.min(this.#handshake.maxFrameBytes, message.maxFrameBytes || Infinity),
      isOwn: target.isOwn,
      clock,
      owner: this.#owner,
    });
  }
}

function hostHello({ codecs, maxFrameBytes, maxDepth, streamCredit, concurrency = 1, name }: GrpcHandshake) {
  const { worker: workerId, pool } = name;
  const limits = { maxFrameBytes, maxDepth, streamCredit, ...(concurrency > 1 && { concurrency }) };
  return { protocol: [2], codecs, ...limits, workerId, pool, typedArrays: true };
}

/** In the form of v2's hello, whose checks then hold for it. */
function helloOf(message: HelloMessage): unknown {
  const { protocol, codec, language, pid, silentWhileBusy, typedArrays, stackSignal, batches } = message;
  return {
    batches,
    protocol,
    codec,
    language,
    pid,
    typedArrays,
    stackSignal,
    answersWhileBusy: !silentWhileBusy,
    runtime: softwareOf(message.runtime),
    sdk: softwareOf(message.sdk),
    commands: message.commands.map(commandOf),
  };
}

function softwareOf(software: Software | undefined): unknown {
  return software && { name: software.name, version: software.version };
}

function commandOf({ name, kind, doc, schema, positional, result, batch, concurrent }: Command): unknown {
  const kinds: Readonly<Record<number, string>> = { [CommandKind.CALL]: 'call', [CommandKind.STREAM]: 'stream' };
  return {
    name,
    kind: kinds[kind],
    ...(doc !== '' && { doc }),
    ...(schema !== '' && { schema: parseSchema(schema, name) }),
    ...(positional.length > 0 && { positional: [...positional] }),
    ...(result !== '' && { result: parseSchema(result, name) }),
    ...(batch && { batch: { ...batch } }),
    ...(concurrent === false && { concurrent }),
  };
}

function parseSchema(text: string, command: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ProtocolViolation(`the schema of '${command}' is no JSON`);
  }
}

function manifestOf(hello: WorkerHello): WorkerManifest {
  const { codec, language, runtime, sdk, commands, stackSignal, batches, answersWhileBusy = true } = hello;
  return {
    protocol: 'v2',
    transport: 'grpc',
    codec,
    language,
    runtime,
    sdk,
    commands,
    answersWhileBusy,
    ...(stackSignal && { stackSignal }),
    ...(batches && { takesBatches: true }),
  };
}
