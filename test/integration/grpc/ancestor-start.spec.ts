import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';

import { custom, grpc } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { bridge, grpcEnv, usePools } from '../../support/ancestor-bridges.js';
import { failureOf, itemsOf } from '../../support/outcomes.js';
import { pidIsAlive, untilGone } from '../../support/processes.js';
import { entriesOf, entryWith, useScratch } from '../../support/records.js';
import { startStandalone, type StandaloneWorker } from '../../support/standalone-worker.js';

const COMMANDS = fileURLToPath(new URL('../../fixtures/contract/commands.py', import.meta.url));

const { start, closeLast } = usePools();
const scratch = useScratch();

const workers: StandaloneWorker[] = [];
afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.kill())));

describe('the port of a bridge', () => {
  const servers: Server[] = [];
  afterEach(() => Promise.all(servers.splice(0).map((server) => once(server.close(), 'close'))));

  async function listenSomewhere(): Promise<number> {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  it('is a free one of the range, and no two bridges of a host share one', async () => {
    const basePort = await listenSomewhere();
    const starts = scratch();
    const range = { basePort, portRange: 40 };
    const pool = await start({ adapter: bridge(['--starts', starts], { grpc: range }), size: 4 });
    const pids = await Promise.all(Array.from({ length: 8 }, () => pool.execute('pid')));
    expect(pids).toHaveLength(8);
    const ports = entriesOf(starts).map(({ port }) => port as number);
    expect(new Set(ports).size).toBe(4);
    for (const port of ports) {
      expect(port).toBeGreaterThan(basePort);
      expect(port).toBeLessThan(basePort + 40);
    }
  });

  it('is another one at the next try, where the bridge could not have it', async () => {
    const starts = scratch();
    const pool = await start({ adapter: bridge(['--starts', starts, '--squat', '2']) });
    expect(await pool.execute('ping')).toEqual({ result: 'pong' });
    const tried = entriesOf(starts);
    expect(new Set(tried.map(({ port }) => port)).size).toBe(3);
    expect(tried.slice(0, 2).some(({ pid }) => pidIsAlive(pid as number))).toBe(false);
    expect(pool.stats().restarts).toBe(0);
  });

  it('that is never to be had fails the start with the reason', async () => {
    const error = await failureOf(start({ adapter: bridge(['--says', '0']) }));
    expect(error).toMatchObject({ code: 'WORKER_START_FAILED' });
    expect(error.message).toMatch(/port \d+ was taken before it could listen there/);
    expect(error.message).toMatch(/command line: .*--says 0 --port \d+/);
  });

  it('that does not exist fails the start with the options to change', async () => {
    const taken = await listenSomewhere();
    const error = await failureOf(start({ adapter: bridge([], { grpc: { basePort: taken, portRange: 1 } }) }));
    expect(error.message).toContain(`no port from ${taken} to ${taken} is free`);
    expect(error.message).toContain("'grpc.basePort'");
  });

  // Who listens, only Linux tells.
  if (process.platform === 'linux')
    it('that another process shares fails the start, because calls would reach it', async () => {
      const starts = scratch();
      const error = await failureOf(start({ adapter: bridge(['--starts', starts, '--twin']) }));
      expect(error.message).toMatch(/another process listens on port \d+ too/);
      await untilGone(entriesOf(starts).map(({ pid }) => pid as number));
    });
});

describe('a bridge that does not start', () => {
  it('because it prints no line is named by the line that is missing', async () => {
    const error = await failureOf(start({ adapter: bridge(['--says', 'nothing']), startTimeoutMs: 1_000 }));
    expect(error).toMatchObject({ code: 'WORKER_START_FAILED' });
    expect(error.message).toMatch(/not ready within 1000 ms .*has not printed the line GRPC_SERVER_READY_ON_PORT=\d+/);
  });

  it('because it crashes is named by its exit and what it wrote', async () => {
    const error = await failureOf(start({ adapter: bridge(['--nonsense']) }));
    expect(error.message).toContain('status 2');
    expect(error.message).toContain('unrecognized arguments: --nonsense');
  });

  it('may serve long after it has said that it does, and know nothing of GetInfo', async () => {
    const pool = await start({ adapter: bridge(['--late', '0.5', '--info', 'none']) });
    expect(await pool.execute('ping')).toEqual({ result: 'pong' });
  });
});

describe('our Python worker, served as the ancestor’s', () => {
  const TOKEN = 'a-token-of-the-team';
  const own = () =>
    custom({
      executable: 'python3',
      args: ['-m', 'snakepit_bridge.grpc', COMMANDS],
      env: grpcEnv(),
      protocol: 'v1',
      transport: 'grpc',
    });

  it('is pooled', async () => {
    const pool = await start({ adapter: own(), size: 2 });
    expect(await pool.execute('add', { a: 1, b: 2 })).toEqual({ result: 3 });
    const items = await itemsOf(pool.stream('count', { to: 50 }));
    expect(items).toEqual(Array.from({ length: 50 }, (_, result) => ({ result })));
    expect(await failureOf(pool.execute('no_such_command'))).toMatchObject({ code: 'REMOTE_ERROR' });
  });

  it('is attached to, and lives on when its host leaves', async () => {
    const worker = await startStandalone('python', '127.0.0.1:0', TOKEN, inject('pythonPackages'));
    workers.push(worker);
    const adapter = grpc({ address: worker.address, token: TOKEN, protocol: 'v1' });
    const pool = await start({ adapter, killGraceMs: 60_000 });
    expect(await pool.execute('add', { a: 1, b: 2 })).toEqual({ result: 3 });
    // Else it waits out that grace, and this test with it.
    await closeLast();
    expect(worker.child.exitCode).toBeNull();
    const again = await start({ adapter });
    const path = scratch();
    const lost = failureOf(again.execute('block', { ms: 30_000, path }));
    await entryWith(path, 'began');
    await worker.kill();
    expect(await lost).toMatchObject({ code: 'WORKER_LOST', delivery: 'may-have-run' });
  });

  it('refuses a host without its token, which says so', async () => {
    const worker = await startStandalone('python', '127.0.0.1:0', TOKEN, inject('pythonPackages'));
    workers.push(worker);
    const error = await failureOf(start({ adapter: grpc({ address: worker.address, protocol: 'v1' }) }));
    expect(error).toMatchObject({ code: 'WORKER_UNREACHABLE' });
    expect(error.message).toContain("Give 'token' what the worker was started with");
  });
});

describe('a server of another kind', () => {
  it('is refused by its services, with the protocol to take instead', async () => {
    const worker = await startStandalone('node', '127.0.0.1:0', 'token', inject('pythonPackages'));
    workers.push(worker);
    const adapter = grpc({ address: worker.address, token: 'token', protocol: 'v1' });
    const error = await failureOf(start({ adapter }));
    expect(error).toMatchObject({ code: 'WORKER_UNREACHABLE' });
    expect(error.message).toContain('serves no snakepit.SnakepitBridge');
    expect(error.message).toContain("protocol 'v2'");
  });

  it('is refused where the bridge was taken for one of protocol v2', async () => {
    const starts = scratch();
    await start({ adapter: bridge(['--starts', starts]) });
    const { port } = entriesOf(starts)[0] as { port: number };
    const error = await failureOf(start({ adapter: grpc({ address: `127.0.0.1:${port}` }) }));
    expect(error.message).toContain('serves no snakepit.v2.Worker');
    expect(error.message).toContain("protocol 'v1'");
  });
});
