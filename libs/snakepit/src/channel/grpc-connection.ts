import { toError } from '../core/index.js';
import type { GrpcClientChannel, GrpcLibrary, GrpcListener, GrpcMetadata, GrpcRpc } from './grpc-library.js';
import { HandshakeRefused } from './handshake-refused.js';

/** Where a worker listens, and what it wants to be shown. */
export interface GrpcTarget {
  /** `unix:` and a path, `host:port`, or any other name that gRPC can resolve. */
  readonly address: string;
  readonly token: string | undefined;
  readonly tls: GrpcClientTls | undefined;
  /** Whether it is a process of this machine that this host has started. */
  readonly isOwn: boolean;
}

/** PEM texts. */
export interface GrpcClientTls {
  /** Who signed the worker's certificate; absent: the authorities that Node.js trusts. */
  readonly ca?: string | undefined;
  /** What the host shows of itself. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** The name in the worker's certificate, where it is not that of the address. */
  readonly serverName?: string | undefined;
}

/** What surrounds the bodies in a message; see "Limits" in proto/PROTOCOL.md. */
export const ENVELOPE_BYTES = 65_536;
const MAX_MESSAGE_BYTES = 2 ** 31 - 1;
/** HTTP/2's own window, 64 KB, costs a large message a round trip for every 64 KB of it. */
const WINDOW_BYTES = 8 * 1024 * 1024;
const KEEPALIVE_INTERVAL_MS = 10_000;
/**
 * Pings keep what lies between from forgetting the connection; whether the worker lives is told by heartbeats and deadlines. A command
 * that blocks the only thread of a worker must not cost it the connection.
 */
const KEEPALIVE_TIMEOUT_MS = 3_600_000;
/** The longest that a timer takes: a connection without calls is kept. */
const NEVER_IDLE_MS = 2 ** 31 - 1;
const READY = 2;

/** @throws HandshakeRefused for certificates or keys that cannot be read */
export function connect(library: GrpcLibrary, target: GrpcTarget, maxFrameBytes: number): GrpcConnection {
  try {
    return new GrpcConnection(library, target, maxFrameBytes);
  } catch (cause) {
    throw new HandshakeRefused(`its certificates cannot be used: ${toError(cause).message}`, {
      remedy: "Give 'tls' certificates and keys in PEM form that belong together.",
    });
  }
}

/** One HTTP/2 connection to one worker. */
export class GrpcConnection {
  readonly #channel: GrpcClientChannel;
  /** One for all RPCs; grpc-js copies it. */
  readonly #metadata: GrpcMetadata;

  /** @throws Error for certificates or keys that cannot be read */
  constructor(library: GrpcLibrary, target: GrpcTarget, maxFrameBytes: number) {
    const { tls, token } = target;
    const pem = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text));
    const credentials =
      tls === undefined
        ? library.credentials.createInsecure()
        : library.credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.certificate));
    this.#channel = new library.Channel(target.address, credentials, optionsFor(target, maxFrameBytes));
    this.#metadata = new library.Metadata();
    if (token !== undefined) this.#metadata.set('authorization', `Bearer ${token}`);
  }

  /** Whether an RPC that is started now leaves at once. */
  get isReady(): boolean {
    return this.#channel.getConnectivityState(false) === READY;
  }

  /** `deadline` is in milliseconds since the Unix epoch; Infinity for none. */
  start(path: string, deadline: number, listener: GrpcListener): GrpcRpc {
    const rpc = this.#channel.createCall(path, deadline, undefined, null, undefined);
    rpc.start(this.#metadata, listener);
    return rpc;
  }

  close(): void {
    this.#channel.close();
  }
}

function optionsFor(target: GrpcTarget, maxFrameBytes: number): Record<string, string | number> {
  const { address, tls, isOwn } = target;
  const maxMessageBytes = Math.min(maxFrameBytes + ENVELOPE_BYTES, MAX_MESSAGE_BYTES);
  return {
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc-node.flow_control_window': WINDOW_BYTES,
    // The pool knows better which call may be made again; without this, grpc-js keeps each message until its answer.
    'grpc.enable_retries': 0,
    'grpc.enable_channelz': 0,
    'grpc.client_idle_timeout_ms': NEVER_IDLE_MS,
    // Connections are not shared between channels: one that is dropped must not take another's calls with it.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.service_config_disable_resolution': 1,
    ...(isOwn && { 'grpc.enable_http_proxy': 0 }),
    ...(!isOwn && !address.startsWith('unix:') && KEEPALIVE),
    ...(tls?.serverName !== undefined && {
      'grpc.ssl_target_name_override': tls.serverName,
      'grpc.default_authority': tls.serverName,
    }),
  };
}

const KEEPALIVE = {
  'grpc.keepalive_time_ms': KEEPALIVE_INTERVAL_MS,
  'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  'grpc.keepalive_permit_without_calls': 1,
};
