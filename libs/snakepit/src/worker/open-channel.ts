import {
  offerOnLifeline,
  openAncestorChannel,
  openFdChannel,
  openGrpcChannel,
  openStdioChannel,
  STREAM_CREDIT,
  type ArenaGrant,
  type Channel,
  type ChannelName,
  type ChannelOwner,
} from '../channel/index.js';
import type { Clock } from '../core/index.js';
import type { GrpcEndpoint } from './grpc-endpoint.js';
import type { WorkerSpec } from './launch-spec.js';
import type { Wire } from './process.js';

/** A message that grants costs an RPC's message here, and items of one message are cheap. */
const GRPC_STREAM_CREDIT = 256;

export interface ChannelSettings {
  readonly negotiationTimeoutMs: number;
  readonly maxFrameBytes: number;
  readonly maxDepth: number;
  readonly maxElements: number;
  /** Undefined: what suits the channel. */
  readonly streamCredit: number | undefined;
  readonly concurrency: number;
}

export interface ChannelOrder {
  readonly wire: Wire;
  readonly name: ChannelName;
  readonly codec: WorkerSpec['codec'];
  readonly settings: ChannelSettings;
  readonly arena: ArenaGrant | undefined;
  /** Where a worker of this host serves gRPC; undefined: it talks over its descriptors. */
  readonly endpoint: GrpcEndpoint | undefined;
  readonly clock: Clock;
  readonly owner: ChannelOwner;
}

/** Opens the channel that goes with what a process can be talked with through. @throws what the handshakes throw */
export async function openChannel(order: ChannelOrder): Promise<Channel> {
  const { wire, name, codec, settings, arena, endpoint, clock, owner } = order;
  const { negotiationTimeoutMs, maxFrameBytes, maxDepth, maxElements, streamCredit, concurrency } = settings;
  const limits = { maxFrameBytes, maxDepth, maxElements };
  if (wire.protocol === 'v1') {
    return openStdioChannel(wire.stdin, wire.stdout, { name, codec, negotiationTimeoutMs, ...limits, clock }, owner);
  }
  const isGrpc = wire.protocol !== 'v2' || endpoint !== undefined;
  const codecs: readonly ('json' | 'msgpack')[] = codec === 'auto' ? ['msgpack', 'json'] : [codec];
  const credit = streamCredit ?? (isGrpc ? GRPC_STREAM_CREDIT : STREAM_CREDIT);
  if (wire.protocol === 'grpc-v1') return openConfirmed(wire, { name, ...limits, streamCredit: credit, clock }, owner);
  const handshake = { name, codecs, ...limits, streamCredit: credit, concurrency, clock };
  if (wire.protocol === 'grpc') {
    return openGrpcChannel({ ...handshake, target: wire.target, signal: wire.signal }, owner);
  }
  if (endpoint === undefined) return openFdChannel(wire.socket, { ...handshake, arena }, owner);
  const listening = await offerOnLifeline(wire.socket, endpoint.offer(maxFrameBytes));
  return openGrpcChannel({ ...handshake, target: endpoint.target(listening) }, owner);
}

type AncestorWire = Extract<Wire, { protocol: 'grpc-v1' }>;
type AncestorOptions = Omit<Parameters<typeof openAncestorChannel>[0], 'target' | 'signal'>;

/** A port may have got into other hands between its choice and its use. */
async function openConfirmed(wire: AncestorWire, options: AncestorOptions, owner: ChannelOwner): Promise<Channel> {
  const { target, signal, confirm } = wire;
  const channel = await openAncestorChannel({ ...options, target, signal }, owner);
  try {
    await confirm();
  } catch (error) {
    channel.abandon();
    throw error;
  }
  return channel;
}
