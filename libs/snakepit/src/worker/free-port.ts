import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

import { HandshakeRefused } from '../channel/index.js';
import type { GrpcListenSpec } from './launch-spec.js';

/** Ports that were given to bridges of this process; several may start at once, and gRPC lets two of them share one. */
const given = new Set<number>();

/** A port that nobody else gets from here until it is released. */
export interface ReservedPort {
  readonly port: number;
  release(): void;
}

type PortRange = Pick<GrpcListenSpec, 'basePort' | 'portRange'>;

/**
 * A port that nobody listens on, on no interface: the first free one of the range, from a random place on, or for `basePort` 0 one that the
 * system picks. It may be taken by another process before it is used.
 *
 * @throws HandshakeRefused when none is free
 */
export function reservePort(range: PortRange): Promise<ReservedPort> {
  // One after the other: who looks whether a port is free takes it for a moment.
  const reserved = lastReservation.then(() => reserve(range));
  lastReservation = reserved.then(nothing, nothing);
  return reserved;
}

let lastReservation: Promise<void> = Promise.resolve();
const nothing = (): void => {};

async function reserve({ basePort, portRange }: PortRange): Promise<ReservedPort> {
  // Hosts that start at the same time begin in different places, and so seldom try the same port.
  const first = randomInt(portRange);
  for (let index = 0; index < portRange; index += 1) {
    const wanted = basePort === 0 ? 0 : basePort + ((first + index) % portRange);
    // A bridge that has been given the port may be about to listen there, and must find it free.
    const port = given.has(wanted) ? undefined : await probe(wanted);
    if (port === undefined || given.has(port)) continue;
    given.add(port);
    return { port, release: () => void given.delete(port) };
  }
  const last = basePort + portRange - 1;
  throw new HandshakeRefused(
    basePort === 0 ? 'the system has no port that is free' : `no port from ${basePort} to ${last} is free`,
    { remedy: "Free one, or choose others by 'grpc.basePort' and 'grpc.portRange'; basePort 0 takes any free port." },
  );
}

/** Whether somebody listens on the port. */
export async function isTaken(port: number): Promise<boolean> {
  return (await probe(port)) === undefined;
}

/** The port if it is free, of all that are where it is 0. */
async function probe(port: number): Promise<number | undefined> {
  return (await probeOn('::', port)) ?? (hasIpv6 ? undefined : await probeOn('0.0.0.0', port));
}

let hasIpv6 = true;
const NO_IPV6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

/** Listens on every interface for a moment, as bridges do for good: that fails where anybody listens on any of them. */
async function probeOn(host: string, port: number): Promise<number | undefined> {
  const server = createServer((socket) => socket.destroy());
  server.listen({ host, port, exclusive: true });
  try {
    await once(server, 'listening');
  } catch (error) {
    if (host === '::' && NO_IPV6.has((error as NodeJS.ErrnoException).code ?? '')) hasIpv6 = false;
    return undefined;
  }
  const { port: bound } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return bound;
}
