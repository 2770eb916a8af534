import type { GrpcTarget } from './grpc-connection.js';
import { describeStatus, Status } from './grpc-failure.js';
import type { GrpcStatus } from './grpc-library.js';
import { HandshakeRefused } from './handshake-refused.js';

interface Explanation {
  /** What the details of the status say. */
  readonly sign: RegExp;
  readonly remedy: (target: GrpcTarget) => string;
}

/** How failed connections show, from the most to the least telling sign. */
const CONNECTION_FAILURES: readonly Explanation[] = [
  {
    sign: /ECONNREFUSED|ENOENT/,
    remedy: ({ address }) => `Start the worker that is to listen at ${address}, or correct the address.`,
  },
  { sign: /EACCES|EPERM/, remedy: ({ address }) => `Let this user connect to ${address}.` },
  {
    sign: /ENOTFOUND|EAI_AGAIN|Name resolution failed/,
    remedy: ({ address }) => `Correct the host name in ${address}, or the name service of this machine.`,
  },
  {
    sign: /certificate has expired|CERT_HAS_EXPIRED|not yet valid|certificate expired/i,
    remedy: () => `Renew the certificate, or correct the clock of the machine that finds it out of date.`,
  },
  {
    sign: /altnames|Hostname\/IP does not match/i,
    remedy: () =>
      `Name what is in the worker's certificate by 'tls.serverName', or give the worker a certificate for this address.`,
  },
  {
    sign: /self.signed|unable to (?:verify|get)|UNABLE_TO|unknown ca/i,
    remedy: () =>
      `Give 'tls.ca' the certificate of who signed the worker's, and the worker that of who signed the host's.`,
  },
  {
    sign: /certificate required|bad certificate|handshake failure|alert/i,
    remedy: () => `Give 'tls.certificate' and 'tls.key' what the worker accepts of a client.`,
  },
  {
    sign: /wrong version number|packet length too long|EPROTO|before secure TLS|SSL routines/i,
    remedy: () => `The worker does not speak TLS there: leave out 'tls', or give the worker a certificate.`,
  },
];

/** What a server that does not know our RPC may serve instead. */
const SERVICES = {
  v2: { name: 'snakepit.v2.Worker', other: "or take protocol 'v1', if it is a bridge of snakepit 0.3" },
  v1: { name: 'snakepit.SnakepitBridge', other: "or take protocol 'v2', if it is a worker of this library" },
} as const;

/** Why there is no attachment, as far as the status of its first RPC tells, and what to do about it. */
export function attachFailure(status: GrpcStatus, target: GrpcTarget, protocol: 'v1' | 'v2'): HandshakeRefused {
  return new HandshakeRefused(`attaching to ${target.address} failed: ${describeStatus(status)}`, {
    remedy: remedyOf(status, target, protocol),
  });
}

function remedyOf({ code, details }: GrpcStatus, target: GrpcTarget, protocol: 'v1' | 'v2'): string {
  switch (code) {
    case Status.UNAUTHENTICATED:
      return target.token === undefined
        ? `Give 'token' what the worker was started with.`
        : `The worker was started with another token, or it was given a new one; give 'token' that one.`;
    case Status.UNIMPLEMENTED:
      return unimplemented(target, protocol);
    case Status.UNAVAILABLE:
      return CONNECTION_FAILURES.find(({ sign }) => sign.test(details))?.remedy(target) ?? unexplained(target);
    default:
      return 'Start the worker with a version of its SDK that fits this host.';
  }
}

function unimplemented({ address }: GrpcTarget, protocol: 'v1' | 'v2'): string {
  const { name, other } = SERVICES[protocol];
  return `What listens at ${address} serves no ${name}; correct the address, ${other}.`;
}

function unexplained({ address, tls }: GrpcTarget): string {
  return tls === undefined
    ? `What listens at ${address} broke off. If it speaks TLS, give 'tls'; else see what it logs.`
    : `What listens at ${address} broke off. If it does not speak TLS, leave out 'tls'; else see what it logs.`;
}
