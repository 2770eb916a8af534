import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type NetConnectOpts, type Server, type Socket } from 'node:net';

/** How a connection ends: by a segment that resets it (ECONNRESET at both ends), or by the end of file. */
export type Cut = 'reset' | 'end';

interface Link {
  readonly host: Socket;
  readonly worker: Socket;
}

/** A proxy on a TCP port of its own before one worker, whose connections can be cut, or stand still, at any moment. */
export class CuttableProxy {
  readonly address: string;
  readonly #server: Server;
  readonly #target: NetConnectOpts;
  readonly #links = new Set<Link>();
  #isStalled = false;
  /** Accepted so far. */
  connections = 0;

  private constructor(server: Server, target: NetConnectOpts) {
    this.#server = server;
    this.#target = target;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (host) => this.#link(host));
  }

  /** Before a worker that listens at `address`, `unix:/path` or `host:port`. */
  static async before(address: string): Promise<CuttableProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CuttableProxy(server, targetOf(address));
  }

  /** Cuts the connections there are; new ones are let through. */
  cut(how: Cut): void {
    for (const link of this.#links) cutLink(link, how);
  }

  /** Cuts the connections there are when so many more bytes have come from the worker: within a message, then. */
  cutAfter(bytes: number, how: Cut): Promise<void> {
    return new Promise((resolve) => {
      let rest = bytes;
      for (const link of this.#links) {
        link.worker.on('data', (chunk: Buffer) => {
          rest -= chunk.length;
          if (rest > 0) return;
          cutLink(link, how);
          resolve();
        });
      }
    });
  }

  /** Nothing passes any more, and nobody is told: the network is gone. */
  stall(): void {
    this.#isStalled = true;
    for (const { host, worker } of this.#links) {
      host.pause();
      worker.pause();
    }
  }

  resume(): void {
    this.#isStalled = false;
    for (const { host, worker } of this.#links) {
      host.resume();
      worker.resume();
    }
  }

  async close(): Promise<void> {
    this.cut('reset');
    await once(this.#server.close(), 'close');
  }

  #link(host: Socket): void {
    this.connections += 1;
    const link = { host, worker: connect(this.#target) };
    this.#links.add(link);
    join(link.host, link.worker);
    join(link.worker, link.host);
    for (const socket of [link.host, link.worker]) {
      // The other one may be paused, and then sees no end by itself.
      socket.on('close', () => link.host.destroyed && link.worker.destroyed && this.#links.delete(link));
      if (this.#isStalled) socket.pause();
    }
  }
}

/** Passes on what `from` sends, and how it ends. */
function join(from: Socket, to: Socket): void {
  from.on('data', (chunk: Buffer) => to.writable && to.write(chunk));
  from.on('end', () => to.end());
  from.on('error', () => to.destroy());
}

function cutLink({ host, worker }: Link, how: Cut): void {
  for (const socket of [host, worker]) {
    socket.removeAllListeners('data');
    // A Unix socket has no reset; its other end sees the end of file.
    if (how === 'reset' && socket.remotePort !== undefined) socket.resetAndDestroy();
    else socket.destroy();
  }
}

function targetOf(address: string): NetConnectOpts {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) };
  const separator = address.lastIndexOf(':');
  return { host: address.slice(0, separator), port: Number(address.slice(separator + 1)) };
}

/**
 * Stands a proxy before every worker of a pool that asks for one: the worker connects to `control`, says in a line where
 * it listens, and is answered by where its host shall connect to.
 */
export class ProxyDesk {
  readonly proxies: CuttableProxy[] = [];
  readonly control: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.control = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (worker) => {
      worker.once('data', (line: Buffer) => void this.#serve(worker, line.toString().trim()));
    });
  }

  static async open(): Promise<ProxyDesk> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ProxyDesk(server);
  }

  async close(): Promise<void> {
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
    await once(this.#server.close(), 'close');
  }

  async #serve(worker: Socket, address: string): Promise<void> {
    const proxy = await CuttableProxy.before(address);
    this.proxies.push(proxy);
    worker.end(`${proxy.address}\n`);
  }
}
