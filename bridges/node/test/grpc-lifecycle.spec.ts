import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';

import { GrpcWorkerProcess, HostEnd, socketPath, TOKEN } from './grpc-worker-process.js';
import { fixture } from './worker-process.js';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

function path(): string {
  const socket = socketPath();
  cleanUps.push(() => socket.remove());
  return socket.path;
}

function owned(offer: object, module = 'commands.mjs'): GrpcWorkerProcess {
  const worker = GrpcWorkerProcess.owned(fixture(module), offer);
  cleanUps.push(() => worker.kill());
  return worker;
}

function standalone(flags: readonly string[]): GrpcWorkerProcess {
  const worker = GrpcWorkerProcess.standalone(fixture('commands.mjs'), ['--token-file', fixture('token'), ...flags]);
  cleanUps.push(() => worker.kill());
  return worker;
}

async function attached(worker: GrpcWorkerProcess): Promise<HostEnd> {
  const host = new HostEnd(await worker.listening());
  cleanUps.push(() => host.close());
  return await host.attach('msgpack');
}

/** A port that something else listens at. */
async function occupiedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe('the start of a Node worker over gRPC', () => {
  it('says where it listens: at a socket for its user only', async () => {
    const socket = path();
    const worker = owned({ listen: [`unix:${socket}`] });

    expect(await worker.listening()).toBe(`unix:${socket}`);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['clash.mjs', /two commands named 'same'/],
    ['broken.mjs', /does not load/],
  ])('answers the offer with an error and exits with status 1 for %s', async (module, message) => {
    const worker = owned({ listen: [`unix:${path()}`] }, module);

    const { error } = await worker.answer();
    expect(error).toMatchObject({ code: 'REMOTE_ERROR', message: expect.stringMatching(message) as string });
    expect(await worker.exit()).toBe(1);
  });

  it('takes the first address of the list that is free', async () => {
    const port = await occupiedPort();
    const worker = owned({ listen: [`127.0.0.1:${port}`, 'unix:relative.sock', '127.0.0.1:0'] });

    const [, chosen] = /^127\.0\.0\.1:(\d+)$/.exec(await worker.listening())!;
    expect(Number(chosen)).toBeGreaterThan(0);
    expect(Number(chosen)).not.toBe(port);
  });

  it('fails with a line for each address when none is free', async () => {
    const port = await occupiedPort();
    const taken = owned({ listen: [`127.0.0.1:${port}`, `localhost:${port}`, 'nonsense'] });

    const { error } = await taken.answer();
    expect(error!.code).toBe('ADDRESS_UNAVAILABLE');
    expect(error!.message.split('\n')).toEqual([
      expect.stringMatching(/^127\.0\.0\.1:\d+: .*EADDRINUSE/),
      expect.stringMatching(/^localhost:\d+: .*EADDRINUSE/),
      expect.stringMatching(/^nonsense: expected/),
    ]);
    expect(await taken.exit()).toBe(1);
  });

  it('shares no port with a worker that starts at the same time from the same list', async () => {
    const first = await occupiedPort();
    cleanUps.splice(0).forEach((close) => void close());
    const listen = Array.from({ length: 5 }, (_, n) => `127.0.0.1:${first + n}`);
    const workers = Array.from({ length: 3 }, () => owned({ listen: [...listen, '127.0.0.1:0'] }));

    const addresses = await Promise.all(workers.map((worker) => worker.listening()));
    expect(new Set(addresses).size).toBe(3);
  });

  it('names the package that is missing', async () => {
    // An installation of its own, in which the optional peer cannot be found.
    const dir = mkdtempSync(join(tmpdir(), 'snakepit-no-grpc-'));
    cleanUps.push(() => rmSync(dir, { recursive: true }));
    const root = fileURLToPath(new URL('../../..', import.meta.url));
    mkdirSync(join(dir, 'node_modules/nestjs-snakepit'), { recursive: true });
    cpSync(join(root, 'libs/snakepit/dist'), join(dir, 'node_modules/nestjs-snakepit/dist'), { recursive: true });
    cpSync(join(root, 'libs/snakepit/package.json'), join(dir, 'node_modules/nestjs-snakepit/package.json'));
    cpSync(join(root, 'bridges/node/dist'), join(dir, 'dist'), { recursive: true });
    writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
    symlinkSync(fixture('token'), join(dir, 'token'));
    const flags = ['dist/worker.js', fixture('commands.mjs'), '--listen', '127.0.0.1:0', '--token-file', 'token'];
    const child = spawn(process.execPath, flags, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];

    expect(code).toBe(1);
    expect(text).toMatch(/needs the package '@grpc\/grpc-js': run `npm install @grpc\/grpc-js`/);
  });
});

describe('the end of a Node worker over gRPC', () => {
  it('finishes its calls on shutdown, refuses new ones, runs its hooks and exits with status 0', async () => {
    const socket = path();
    const worker = owned({ listen: [`unix:${socket}`] });
    const host = await attached(worker);
    const running = host.request('finishWhenCancelled', null);
    const ending = host.send(running);
    const stream = host.stream('count', { to: 6 });
    await host.until(() => stream.chunks.length === 4);
    const health = host.watchHealth();
    await host.until(() => health.length === 1);

    host.say({ shutdown: {} });
    await host.until(() => health.length === 2);
    expect(health).toEqual([1, 2]);
    expect(await host.call('echo', [1])).toMatchObject({ status: status.UNAVAILABLE });
    host.say({ credit: { call: stream.id, chunks: 10 } }, { cancel: { call: running.id, reason: 1 } });

    expect(await stream.ending).toMatchObject({ status: 0, chunks: [1, 2, 3, 4, 5, 6] });
    expect(await ending).toMatchObject({ value: 'finished anyway' });
    await host.until(() => host.ended !== undefined);
    expect(host.ended).toMatchObject({ code: status.OK });
    expect(await worker.exit()).toBe(0);
    expect(worker.stdout).toContain('shutdown hook ran');
    expect(existsSync(socket)).toBe(false);
  });

  it('does not wait for calls on SIGTERM', async () => {
    const worker = owned({ listen: [`unix:${path()}`] });
    const host = await attached(worker);
    const ending = host.call('waitDeaf', null);
    await host.call('echo', [1]);
    worker.child.kill('SIGTERM');

    expect(await worker.exit()).toBe(0);
    expect(worker.stdout).toContain('shutdown hook ran');
    expect((await ending).status).not.toBe(status.OK);
  });

  it('kills its group when the host closes the lifeline, also while it starts', async () => {
    const worker = owned({ listen: [`unix:${path()}`] });
    const starting = owned({ listen: [`unix:${path()}`] });
    starting.lifeline.destroy();
    await worker.listening();
    worker.lifeline.destroy();
    expect(await Promise.all([worker.exit(), starting.exit()])).toEqual(['SIGKILL', 'SIGKILL']);
  });

  it('has room for one attachment when a host has started it', async () => {
    const worker = owned({ listen: ['127.0.0.1:0'] });
    const address = await worker.listening();
    const host = await new HostEnd(address).attach('json');
    const second = await new HostEnd(address).attach('json');
    cleanUps.push(
      () => host.close(),
      () => second.close(),
    );

    expect(second.ended).toMatchObject({ code: status.FAILED_PRECONDITION });
    expect(await host.call('echo', [1])).toMatchObject({ value: 1 });
  });

  it('keeps the lifeline from processes that a command starts', async () => {
    const host = await attached(owned({ listen: [`unix:${path()}`] }));

    expect(await host.call('childHasSocket', null)).toMatchObject({ value: false });
  });

  it('dies with its host even while a command blocks', async () => {
    // A host of its own, so that it can be killed: it starts the worker, blocks it, and says its process id.
    const host = spawn(process.execPath, ['--input-type=module', '-e', BLOCKING_HOST], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: fixture('.'),
      env: { ...process.env, SPEC_SOCKET: path() },
    });
    const [line] = (await once(host.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    cleanUps.push(() => isAlive(pid) && process.kill(pid, 'SIGKILL'));
    expect(isAlive(pid)).toBe(true);
    host.kill('SIGKILL');
    while (isAlive(pid)) await sleep(10);
  });
});

describe('a standalone Node worker', () => {
  it('replaces a socket that nobody listens at, and leaves one alone that is in use', async () => {
    const socket = path();
    const dead = standalone(['--listen', `unix:${socket}`]);
    await dead.listening();
    dead.kill();
    await dead.exit();
    expect(existsSync(socket)).toBe(true);

    const alive = standalone(['--listen', `unix:${socket}`]);
    const host = await attached(alive);
    const second = standalone(['--listen', `unix:${socket}`]);
    expect(await second.exit()).toBe(1);
    expect(second.stderr).toMatch(/EADDRINUSE/);
    expect(await host.call('echo', [1])).toMatchObject({ value: 1 });
  });

  it('lets the calls at hand end after SIGTERM, and takes no more', async () => {
    const worker = standalone(['--listen', '127.0.0.1:0']);
    const host = await attached(worker);
    const health = host.watchHealth();
    const running = host.request('finishWhenCancelled', null);
    const ending = host.send(running);
    await host.call('echo', [1]);

    worker.child.kill('SIGTERM');
    await host.until(() => health.length === 2);
    expect(health).toEqual([1, 2]);
    expect(await host.call('echo', [1])).toMatchObject({ status: status.UNAVAILABLE });
    host.say({ cancel: { call: running.id, reason: 1 } });

    expect(await ending).toMatchObject({ value: 'finished anyway' });
    expect(await worker.exit()).toBe(0);
    expect(worker.stdout).toContain('shutdown hook ran');
  });

  it('ends at a second SIGTERM, and when the time for draining is over', async () => {
    const impatient = standalone(['--listen', '127.0.0.1:0']);
    const limited = standalone(['--listen', '127.0.0.1:0', '--drain-seconds', '1']);
    for (const worker of [impatient, limited]) {
      const host = await attached(worker);
      void host.call('waitDeaf', null);
      await host.call('echo', [1]);
      const health = host.watchHealth();
      await host.until(() => health.length === 1);
      worker.child.kill('SIGTERM');
      await host.until(() => health.length === 2);
    }
    impatient.child.kill('SIGTERM');

    expect(await Promise.all([impatient.exit(), limited.exit()])).toEqual([0, 0]);
  });

  it('says its own limit when it is smaller than the host’s', async () => {
    const host = await attached(standalone(['--listen', '127.0.0.1:0', '--max-frame-bytes', '4096']));

    expect(host.hello!.maxFrameBytes).toBe(4096);
    expect(await host.call('large', { bytes: 5000 })).toMatchObject({ failure: { code: 'FRAME_TOO_LARGE' } });
  });
});

const BLOCKING_HOST = `
import { spawn } from 'node:child_process';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { WorkerService } from 'nestjs-snakepit/codec/grpc';
const child = spawn(process.execPath, ['../../dist/worker.js', '--module', 'commands.mjs'], {
  stdio: ['ignore', 'ignore', 'inherit', 'pipe'], detached: true,
  env: { ...process.env, SNAKEPIT_PROTOCOL: 'grpc', SNAKEPIT_FD: '3' },
});
const listen = ['unix:' + process.env.SPEC_SOCKET];
child.stdio[3].write(JSON.stringify({ protocol: 'grpc', listen, token: '${TOKEN}', maxFrameBytes: 1000 }) + '\\n');
child.stdio[3].once('data', () => {
  const client = new Client(listen[0], credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('authorization', 'Bearer ${TOKEN}');
  const { path, requestSerialize, responseDeserialize } = WorkerService.execute;
  const call = (commandName) => new Promise((resolve) =>
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { commandName }, metadata, resolve));
  // The thread that watches starts right after the answer.
  call('hasStarted').then(() => setTimeout(() => {
    void call('blockForever');
    setTimeout(() => console.log(child.pid), 200);
  }, 100));
});
`;

/** A zombie that nobody waits for is as good as gone. */
function isAlive(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z');
  } catch {
    return false;
  }
}
