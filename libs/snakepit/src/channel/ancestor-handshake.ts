import { ProtocolViolation } from '../codec/index.js';
import { ancestor, AncestorValues } from '../codec/grpc/index.js';
import type { Clock } from '../core/index.js';
import { AncestorChannel } from './ancestor-channel.js';
import type { ChannelOwner, WorkerManifest } from './channel.js';
import { attachFailure } from './grpc-attach-failure.js';
import { connect, type GrpcConnection, type GrpcTarget } from './grpc-connection.js';
import { Status } from './grpc-failure.js';
import { loadGrpcLibrary, type GrpcStatus } from './grpc-library.js';
import { HandshakeRefused } from './handshake-refused.js';
import type { ChannelName } from './remote-failure.js';

export interface AncestorHandshake {
  readonly target: GrpcTarget;
  readonly name: ChannelName;
  readonly maxFrameBytes: number;
  readonly maxDepth: number;
  /** How many values a body may hold. */
  readonly maxElements?: number | undefined;
  /** Chunks a stream may send before its first grant. */
  readonly streamCredit: number;
  /** Gives up. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** How often a bridge that this host has started is asked whether it serves by now. */
const POLL_INTERVAL_MS = 25;
/** What a bridge says of itself is good to know and nothing to wait for. */
const INFO_TIMEOUT_MS = 2_000;

/**
 * Connects to a bridge of the ancestor's and waits until its `Health` says that it is healthy. One that this host has started is asked
 * again until it does, because it says that it is ready before it serves.
 *
 * @throws HandshakeRefused with the remedy when there is no connection, or no such service, or it is not healthy; ProtocolViolation when
 * its answer makes no sense; SnakepitError MISUSE without the package @grpc/grpc-js
 */
export async function openAncestorChannel(handshake: AncestorHandshake, owner: ChannelOwner): Promise<AncestorChannel> {
  const { name, maxFrameBytes, maxDepth, maxElements, streamCredit, clock } = handshake;
  const connection = await healthyConnection(handshake);
  try {
    const manifest = manifestOf(await infoOf(connection, clock));
    const values = new AncestorValues({ maxDepth, maxElements });
    return new AncestorChannel({ connection, manifest, values, name, maxFrameBytes, streamCredit, clock, owner });
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function healthyConnection(handshake: AncestorHandshake): Promise<GrpcConnection> {
  const library = await loadGrpcLibrary();
  const { target, maxFrameBytes, signal, clock } = handshake;
  for (;;) {
    // A new one each time: grpc-js waits longer and longer before it connects again.
    const connection = connect(library, target, maxFrameBytes);
    const { status, message } = await ask(connection, ancestor.SnakepitBridgeService.health.path, Infinity, signal);
    try {
      if (isHealthy(status, message)) return connection;
      if (signal.aborted) throw new HandshakeRefused('it ended before it served');
      if (!target.isOwn || !mayServeYet(status)) throw refusalOf(status, target);
    } catch (error) {
      connection.close();
      throw error;
    }
    connection.close();
    await new Promise<void>((resolve) => clock.after(POLL_INTERVAL_MS, resolve));
  }
}

/** @throws ProtocolViolation for an answer that is none */
function isHealthy(status: GrpcStatus, message: Buffer | undefined): boolean {
  if (status.code !== Status.OK) return false;
  if (message === undefined) throw new ProtocolViolation('Health ended well, but without an answer');
  return ancestor.decodeHealthResponse(message).healthy;
}

/** Whether it does not listen yet, or is not healthy yet. */
function mayServeYet({ code }: GrpcStatus): boolean {
  return code === Status.OK || code === Status.UNAVAILABLE;
}

function refusalOf(status: GrpcStatus, target: GrpcTarget): HandshakeRefused {
  if (status.code !== Status.OK) return attachFailure(status, target, 'v1');
  return new HandshakeRefused(`the bridge at ${target.address} says that it is not healthy`, {
    remedy: 'See what the bridge logs.',
  });
}

/** Undefined where a bridge does not say, as one may that was written before there was somebody to ask. */
async function infoOf(connection: GrpcConnection, clock: Clock): Promise<ancestor.InfoResponse | undefined> {
  const deadline = clock.wallTime() + INFO_TIMEOUT_MS;
  const { status, message } = await ask(connection, ancestor.SnakepitBridgeService.getInfo.path, deadline);
  return status.code === Status.OK && message !== undefined ? ancestor.decodeInfoResponse(message) : undefined;
}

/** Its commands are left out: the list of a bridge may be incomplete, and a manifest's is not. */
function manifestOf(info: ancestor.InfoResponse | undefined): WorkerManifest {
  const { workerType = '', version = '' } = info ?? {};
  return {
    protocol: 'v1',
    transport: 'grpc',
    codec: 'json',
    ...(workerType !== '' && { sdk: { name: workerType, version } }),
    // Some answer Health by the thread that runs commands.
    answersWhileBusy: false,
  };
}

interface Answer {
  readonly status: GrpcStatus;
  readonly message: Buffer | undefined;
}

/** An RPC with an empty request; settles with its status, whatever that is. */
function ask(connection: GrpcConnection, path: string, deadline: number, signal?: AbortSignal): Promise<Answer> {
  return new Promise((resolve) => {
    let answer: Buffer | undefined;
    const rpc = connection.start(path, deadline, {
      onReceiveMetadata() {},
      onReceiveMessage(message) {
        answer = message;
      },
      onReceiveStatus(status) {
        signal?.removeEventListener('abort', giveUp);
        resolve({ status, message: answer });
      },
    });
    const giveUp = (): void => rpc.cancelWithStatus(Status.CANCELLED, 'the host has given up');
    signal?.addEventListener('abort', giveUp, { once: true });
    rpc.sendMessageWithContext({}, Buffer.alloc(0));
    rpc.halfClose();
    rpc.startRead();
    if (signal?.aborted) giveUp();
  });
}
