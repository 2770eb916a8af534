import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request, type ClientRequest } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

import { waitUntil } from '../support/wait-until.js';
import { DemoApp, REPOSITORY } from './demo-app.js';
import { collect, DemoClient, events } from './demo-client.js';

const run = promisify(execFile);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-start-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each([
  ['the repository', () => REPOSITORY],
  ['another folder', () => folder],
])('the demo started in %s', (_, cwd) => {
  let app: DemoApp;

  beforeAll(async () => {
    app = await DemoApp.serving({ cwd: cwd() });
  });

  afterAll(() => app.stop());

  it('prints three curl lines that work when they are pasted', async () => {
    await run('curl', ['--version']).catch(() => {
      throw new Error('This test runs the printed curl lines: install curl.');
    });
    expect(app.curlLines).toHaveLength(3);
    const outputs = [];
    for (const line of app.curlLines) outputs.push((await run('sh', ['-c', line], { cwd: cwd() })).stdout);
    const [profile, digits, training] = outputs;
    expect(profile).toContain('"kind":"result","rows":3376');
    expect(digits?.match(/"digit":\d/g)).toHaveLength(3);
    expect(training?.match(/"kind":"epoch"/g)).toHaveLength(5);
    for (const output of outputs) expect(output).toContain('event: end');
  });
});

it('ends on SIGTERM with its workers and temporary files, whoever is still connected', async () => {
  const app = await DemoApp.serving({ env: { TMPDIR: folder } });
  const client = new DemoClient(app);
  const { pools } = (await client.get('/stats')).body as { pools: { pids: number[] }[] };
  const pids = pools.flatMap((pool) => pool.pids);
  const tail = events(await client.fetch('/logs/tail?path=app.log'));
  await tail.next();
  const half = await halfUpload(app.url);
  await app.stop();
  const left = await collect(tail);
  expect(left.at(-1)?.event).toBe('end');
  expect(pids.length).toBeGreaterThanOrEqual(6);
  for (const pid of pids) expect(() => process.kill(pid, 0), `worker ${pid} is gone`).toThrow('ESRCH');
  expect(readdirSync(folder)).toEqual([]);
  half.destroy();
});

/** A client that neither goes on nor leaves. */
async function halfUpload(url: string): Promise<ClientRequest> {
  const upload = request(new URL('/csv/profile', url), { method: 'POST' }).on('error', () => undefined);
  upload.setHeader('content-type', 'multipart/form-data; boundary=x');
  upload.write('--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\na,b\r\n');
  await waitUntil('the begin of the upload', () => readdirSync(folder, { recursive: true }).length > 1);
  return upload;
}

it('says what to do when its port is taken, and exits', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const app = new DemoApp({ env: { PORT: String(port) } });
  expect(await app.exit()).toBe(1);
  expect(app.output).toContain(`Port ${port} is taken`);
  server.close();
});

it('says so when there is no Python, and exits', async () => {
  const app = new DemoApp({ env: { PATH: folder } });
  expect(await app.exit()).toBe(1);
  expect(app.output).toContain('No Python interpreter found');
});

describe('the demo over gRPC', () => {
  let app: DemoApp;

  beforeAll(async () => {
    app = await DemoApp.serving({ env: { SNAKEPIT_TRANSPORT: 'grpc', PYTHONPATH: inject('pythonPackages') } });
  });

  afterAll(() => app.stop());

  it('does the same on all its pools', async () => {
    const client = new DemoClient(app);
    const outputs = [];
    for (const line of app.curlLines) outputs.push((await run('sh', ['-c', line], { cwd: REPOSITORY })).stdout);
    expect(outputs[0]).toContain('"kind":"result","rows":3376');
    expect(outputs[1]?.match(/"digit":\d/g)).toHaveLength(3);
    expect(outputs[2]?.match(/"kind":"epoch"/g)).toHaveLength(5);
    const tail = events(await client.fetch('/logs/tail?path=app.log'));
    expect((await tail.next()).done).toBe(false);
    await tail.return?.(undefined);
    expect((await client.get('/node/ping')).status).toBe(200);
    const { pools } = (await client.get('/stats')).body as { pools: { pids: number[] }[] };
    const environment = readFileSync(`/proc/${pools[0]?.pids[0]}/environ`, 'utf8');
    expect(environment).toContain('SNAKEPIT_PROTOCOL=grpc');
  });
});

it('says what to install when Python lacks what gRPC needs, and exits', async () => {
  const without = join(folder, 'without-grpc');
  await mkdir(without);
  await writeFile(join(without, 'grpc.py'), 'raise ImportError("no gRPC here")\n');
  const app = new DemoApp({ env: { SNAKEPIT_TRANSPORT: 'grpc', PYTHONPATH: without } });
  expect(await app.exit()).toBe(1);
  expect(app.output).toContain('pip install');
});

it('names the environment variable that is not right', async () => {
  const app = new DemoApp({ env: { DEMO_WORKERS: 'many' } });
  expect(await app.exit()).toBe(1);
  expect(app.output).toContain("DEMO_WORKERS is 'many'");
});
