/** How a worker serves gRPC; a host's offer says it, or the command line. */
export interface GrpcSettings {
  /** Tried in this order: `unix:` and an absolute path, or `host:port`. */
  readonly listen: readonly string[];
  /** Undefined: whoever can connect is let in. */
  readonly token: string | undefined;
  readonly maxFrameBytes: number;
  /** PEM texts; undefined: no TLS. */
  readonly tls: TlsTexts | undefined;
  /** Whether server reflection is served. */
  readonly reflection: boolean;
}

export interface TlsTexts {
  readonly certificate: string;
  readonly key: string;
  /** Who signs the certificates of hosts. */
  readonly clientCa: string;
}

/** gRPC limits whole messages; so much may surround the bodies in one. */
const ENVELOPE_BYTES = 65_536;
const MAX_MESSAGE_BYTES = 2 ** 31 - 1;

export function maxMessageBytes(maxFrameBytes: number): number {
  return Math.min(maxFrameBytes + ENVELOPE_BYTES, MAX_MESSAGE_BYTES);
}

/** @throws Error naming the member that is missing or wrong */
export function parseOffer(line: string): GrpcSettings {
  const offer = JSON.parse(line) as Readonly<Record<string, unknown>>;
  const { protocol, listen, token, maxFrameBytes, reflection, tls } = offer;
  if (protocol !== 'grpc') throw new Error(`the host offers the protocol ${JSON.stringify(protocol)}, not 'grpc'`);
  if (!isTexts(listen) || listen.length === 0) throw new Error("the host's offer has no 'listen'");
  if (typeof token !== 'string' || token === '') throw new Error("the host's offer has no 'token'");
  if (!Number.isSafeInteger(maxFrameBytes) || (maxFrameBytes as number) < 1) {
    throw new Error("the host's offer has no 'maxFrameBytes'");
  }
  return {
    listen,
    token,
    maxFrameBytes: maxFrameBytes as number,
    reflection: reflection === true,
    tls: tls === undefined || tls === null ? undefined : parseTls(tls),
  };
}

function parseTls(tls: unknown): TlsTexts {
  const { certificate, key, clientCa } = tls as Readonly<Record<string, unknown>>;
  if (typeof certificate === 'string' && typeof key === 'string' && typeof clientCa === 'string') {
    return { certificate, key, clientCa };
  }
  throw new Error("'tls' of the host's offer lacks 'certificate', 'key' or 'clientCa'");
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
