import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { isTaken, reservePort } from './free-port.js';
import { isPortOfGroup } from './port-owner.js';

const servers: Server[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => once(server.close(), 'close'))));

async function listenOn(host: string): Promise<number> {
  const server = createServer(() => {}).listen(0, host);
  await once(server, 'listening');
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

/** Who listens, only Linux tells. */
describe.skipIf(process.platform !== 'linux')('the owner of a port (Linux)', () => {
  it('is a group whose processes alone listen there', async () => {
    const port = await listenOn('127.0.0.1');
    expect(await isPortOfGroup(port, process.pid)).toBe(true);
    expect(await isPortOfGroup(port, process.ppid)).toBe(false);
  });

  it('is unknown where nobody listens', async () => {
    const { port, release } = await reservePort({ basePort: 0, portRange: 1 });
    expect(await isPortOfGroup(port, process.pid)).toBeUndefined();
    release();
  });
});

describe('a reserved port', () => {
  it('is given to nobody else until it is released', async () => {
    const free = await reservePort({ basePort: 0, portRange: 1 });
    const range = { basePort: free.port, portRange: 1 };
    await expect(reservePort(range)).rejects.toThrow(`no port from ${free.port} to ${free.port} is free`);
    free.release();
    const again = await reservePort(range);
    expect(again.port).toBe(free.port);
    again.release();
  });

  it('is there for each of those who ask at the same time, as long as the range has one', async () => {
    const portRange = 8;
    const basePort = await freeRange(portRange);
    const all = await Promise.all(Array.from({ length: portRange }, () => reservePort({ basePort, portRange })));
    expect(all.map(({ port }) => port).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: portRange }, (_, n) => basePort + n),
    );
    for (const { release } of all) release();
  });

  /** Where so many ports in a row are free. */
  async function freeRange(ports: number): Promise<number> {
    for (;;) {
      const { port: first, release } = await reservePort({ basePort: 0, portRange: 1 });
      release();
      const row = Array.from({ length: ports }, (_, n) => first + n);
      const taken = await Promise.all(row.map((port) => port > 65_535 || isTaken(port)));
      if (!taken.includes(true)) return first;
    }
  }

  it.each(['127.0.0.1', '0.0.0.0'])('is none that somebody listens on at %s', async (host) => {
    const port = await listenOn(host);
    expect(await isTaken(port)).toBe(true);
    await expect(reservePort({ basePort: port, portRange: 1 })).rejects.toThrow('is free');
  });
});
