import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createSnakepit, node, python, type PoolOptions, type Snakepit } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';

import { failureOf, itemsOf } from '../../support/outcomes.js';
import { createOneTimeTls } from '../../../libs/snakepit/src/worker/tls/one-time-tls.js';

const pathOf = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
const MB = 2 ** 20;

type GrpcListen = NonNullable<Parameters<typeof node>[0]['grpc']>;
const LANGUAGES = {
  python: (grpc: GrpcListen) =>
    python({ module: pathOf('contract/commands.py'), transport: 'grpc', grpc, path: [inject('pythonPackages')] }),
  node: (grpc: GrpcListen) => node({ module: pathOf('contract/commands.js'), transport: 'grpc', grpc }),
};

const open: Snakepit[] = [];
const servers: Server[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(open.splice(0).map((snakepit) => snakepit.close()));
  await Promise.all(servers.splice(0).map((server) => once(server.close(), 'close')));
});

async function start(options: PoolOptions) {
  const snakepit = await createSnakepit(options);
  open.push(snakepit);
  return snakepit.pool();
}

/** A port that is taken, and by whom nothing is ever said. */
async function takenPort(): Promise<number> {
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

describe.each(Object.entries(LANGUAGES))('a %s worker over gRPC', (language, adapter) => {
  it('listens on a socket in a folder that nobody else may enter, which is gone with it', async () => {
    const tmp = join(tmpdir(), language);
    mkdirSync(tmp);
    vi.stubEnv('TMPDIR', tmp);
    try {
      await start({ adapter: adapter({}), size: 2 });
      const made = readdirSync(tmp).filter((name) => name.startsWith('snakepit-'));
      expect(made).toHaveLength(2);
      for (const name of made) {
        expect(statSync(join(tmp, name)).mode & 0o777).toBe(0o700);
        expect(existsSync(join(tmp, name, 'worker.sock'))).toBe(true);
      }
      await open.pop()?.close();
      expect(readdirSync(tmp).filter((name) => name.startsWith('snakepit-'))).toEqual([]);
    } finally {
      rmSync(tmp, { recursive: true });
    }
  });

  it('carries calls, streams and 16 MB of binary over mutual TLS with one-time certificates', async () => {
    const pool = await start({ adapter: adapter({ listen: 'tcp', tls: true }), size: 1 });
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
    expect(await itemsOf(pool.stream('count', { to: 3 }))).toEqual([0, 1, 2]);
    const large = Buffer.alloc(16 * MB, 7);
    expect(large.equals(await pool.execute<Buffer>('same', [large]))).toBe(true);
  });

  it('takes given certificates', async () => {
    const { authority: ca, host, worker } = createOneTimeTls();
    const tls = {
      ca,
      certificate: host.certificate,
      key: host.key,
      workerCertificate: worker.certificate,
      workerKey: worker.key,
    };
    const pool = await start({ adapter: adapter({ listen: 'tcp', tls }), size: 1 });
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
  });

  it('refuses a start by certificates that do not fit, and says why', async () => {
    const { authority: ca, host } = createOneTimeTls();
    const { worker } = createOneTimeTls();
    const tls = {
      ca,
      certificate: host.certificate,
      key: host.key,
      workerCertificate: worker.certificate,
      workerKey: worker.key,
    };
    const error = await failureOf(createSnakepit({ adapter: adapter({ listen: 'tcp', tls }), size: 1 }));
    expect(error).toMatchObject({ code: 'WORKER_START_FAILED' });
    expect(error.message).toContain("Give 'tls.ca' the certificate");
  });

  it('fails to start when all its ports are taken, and names them', async () => {
    const basePort = await takenPort();
    const listen = adapter({ listen: 'tcp', basePort, portRange: 1 });
    const error = await failureOf(createSnakepit({ adapter: listen, size: 1 }));
    expect(error).toMatchObject({ code: 'WORKER_START_FAILED' });
    expect(error.message).toContain(`127.0.0.1:${basePort}`);
    expect(error.message).toContain("choose others by 'grpc.basePort' and 'grpc.portRange'");
  });

  it.each(['expired', 'not yet valid'])('refuses a start by certificates that are %s, and says so', async (when) => {
    const elevenYearsMs = 11 * 366 * 24 * 3_600_000;
    const from = Date.now() + (when === 'expired' ? -elevenYearsMs : elevenYearsMs);
    const { authority: ca, host, worker } = createOneTimeTls(new Date(from));
    const tls = {
      ca,
      certificate: host.certificate,
      key: host.key,
      workerCertificate: worker.certificate,
      workerKey: worker.key,
    };
    const error = await failureOf(createSnakepit({ adapter: adapter({ listen: 'tcp', tls }), size: 1 }));
    expect(error).toMatchObject({ code: 'WORKER_START_FAILED', delivery: 'not-started' });
    expect(error.message).toContain(when === 'expired' ? 'expired' : 'not yet valid');
    expect(error.message).toContain('Renew the certificate');
  });

  // Nobody may make anything in the second, not even root.
  it.each(process.platform === 'linux' ? ['/no-such-folder', '/sys'] : ['/no-such-folder'])(
    'says that the folder for its socket cannot be made in %s, and what to do',
    async (parent) => {
      vi.stubEnv('TMPDIR', parent);
      const error = await failureOf(createSnakepit({ adapter: adapter({}), size: 1 }));
      expect(error).toMatchObject({ code: 'WORKER_START_FAILED', delivery: 'not-started' });
      expect(error.message).toContain(`Make ${parent} writable, name another folder by TMPDIR`);
    },
  );

  it('says that the path of its socket is too long', async () => {
    const long = join(tmpdir(), 'x'.repeat(90));
    mkdirSync(long, { recursive: true });
    vi.stubEnv('TMPDIR', long);
    try {
      const error = await failureOf(createSnakepit({ adapter: adapter({}), size: 1 }));
      expect(error.message).toContain('Name a folder with a shorter path by TMPDIR');
      expect(readdirSync(long)).toEqual([]);
    } finally {
      rmSync(long, { recursive: true });
    }
  });

  it.runIf(process.platform === 'linux')('keeps its token out of its environment and its command line', async () => {
    const pool = await start({ adapter: adapter({}), size: 1 });
    const [pid] = pool.stats().pids;
    const seen = ['environ', 'cmdline'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8'));
    expect(seen.join('\0')).toContain('SNAKEPIT_PROTOCOL=grpc');
    for (const text of seen.join('\0').split(/[\0=:/ ]/)) expect(text).not.toMatch(/^[\w-]{43}$/);
  });
});

describe('ports', () => {
  it(
    'never collide among 50 workers that start at once, of the system’s choice or from one range',
    { timeout: 120_000 },
    async () => {
      for (const grpc of [{ listen: 'tcp' }, { listen: 'tcp', basePort: 42_000, portRange: 80 }] as const) {
        const pool = await start({ adapter: LANGUAGES.node(grpc), size: 50, startTimeoutMs: 60_000 });
        expect(pool.stats()).toMatchObject({ status: 'up', available: 50, restarts: 0 });
        const pids = await Promise.all(
          Array.from({ length: 500 }, async () => (await pool.execute<{ pid: number }>('worker')).pid),
        );
        expect(new Set(pids).size).toBeGreaterThan(1);
        await open.pop()?.close();
      }
    },
  );
});
