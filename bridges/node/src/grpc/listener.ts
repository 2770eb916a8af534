import { chmod, unlink } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type ListenOptions, type Server } from 'node:net';
import { once } from 'node:events';
import { lookup } from 'node:dns/promises';

import { CallFailure } from '../failures.js';

export interface Listener {
  readonly server: Server;
  /** Where it can be reached. */
  readonly address: string;
}

const SOCKET_MODE = 0o600;

/**
 * Binds the first address of the list that is free. A server of Node's never shares a port (SO_REUSEPORT is left alone);
 * a name that stands for several addresses is bound at the first, because half of a name is no exclusive port.
 *
 * @throws CallFailure with code ADDRESS_UNAVAILABLE and a line for each address when none is free
 */
export async function bindFirst(addresses: readonly string[], { replacesDeadSockets }: BindOptions): Promise<Listener> {
  const refusals: string[] = [];
  for (const address of addresses) {
    try {
      return await bind(address, replacesDeadSockets);
    } catch (error) {
      refusals.push(`${address}: ${(error as Error).message}`);
    }
  }
  throw new CallFailure('ADDRESS_UNAVAILABLE', refusals.join('\n'));
}

export interface BindOptions {
  /** Whether a socket's file that nobody listens at is removed: where no host does it. */
  readonly replacesDeadSockets: boolean;
}

async function bind(address: string, replacesDeadSockets: boolean): Promise<Listener> {
  if (!address.startsWith('unix:')) return await bindPort(address);
  const path = address.slice('unix:'.length);
  if (!path.startsWith('/')) throw new Error('the path of a socket must be absolute');
  try {
    return await bindPath(path);
  } catch (error) {
    const mayBeDead = replacesDeadSockets && (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    if (!mayBeDead || (await isAnswered(path))) throw error;
    await unlink(path);
    return await bindPath(path);
  }
}

async function bindPath(path: string): Promise<Listener> {
  const server = await listen({ path });
  await chmod(path, SOCKET_MODE);
  return { server, address: `unix:${path}` };
}

async function bindPort(address: string): Promise<Listener> {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address);
  if (match === null) throw new Error("expected 'unix:/path' or 'host:port'");
  const { address: host } = await lookup(match[1] ?? match[2]!);
  const server = await listen({ host, port: Number(match[3]), exclusive: true });
  const { port } = server.address() as AddressInfo;
  return { server, address: `${host.includes(':') ? `[${host}]` : host}:${port}` };
}

async function listen(options: ListenOptions): Promise<Server> {
  const server = createServer();
  server.listen(options);
  await once(server, 'listening');
  return server;
}

async function isAnswered(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}
