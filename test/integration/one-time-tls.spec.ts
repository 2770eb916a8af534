// Certificates of ours between the two implementations of gRPC that meet in production: grpc-js with Node's OpenSSL, and
// Python's grpcio with BoringSSL.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';

import { Client, credentials, Server, ServerCredentials, status, type ServiceDefinition } from '@grpc/grpc-js';
import { HealthService, type HealthCheckRequestInit, type HealthCheckResponse } from 'nestjs-snakepit/codec/grpc';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { GrpcWorkerProcess, HostEnd } from '../../bridges/node/test/grpc-worker-process.js';
import { createOneTimeTls, WORKER_TLS_NAME, type OneTimeTls } from '../../libs/snakepit/src/worker/tls/one-time-tls.js';

const SERVING = 1;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

describe('one-time certificates, a Python server and a grpc-js client', () => {
  it('trust each other', async () => {
    const tls = createOneTimeTls();
    const port = await pythonServer(tls);

    expect(await check(port, tls)).toEqual({ status: SERVING });
  });

  it('refuses a client whose certificate another authority signed', async () => {
    const tls = createOneTimeTls();
    const port = await pythonServer(tls);

    const stranger = { ...tls, host: createOneTimeTls().host };
    await expect(check(port, stranger)).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  it('refuses a server whose certificate another authority signed', async () => {
    const port = await pythonServer(createOneTimeTls());

    const refusal = { code: status.UNAVAILABLE, message: expect.stringMatching(/certificate/) as string };
    await expect(check(port, createOneTimeTls())).rejects.toMatchObject(refusal);
  });
});

describe('one-time certificates, a grpc-js server and a Python client', () => {
  it('trust each other', async () => {
    const tls = createOneTimeTls();

    expect(await pythonClient(await nodeServer(tls), tls)).toBe('SERVING');
  });

  it('refuse each other when their authorities differ', async () => {
    const tls = createOneTimeTls();
    const port = await nodeServer(tls);
    const other = createOneTimeTls();

    expect(await pythonClient(port, { ...tls, host: other.host })).toBe('UNAVAILABLE');
    expect(await pythonClient(port, { ...tls, authority: other.authority })).toBe('UNAVAILABLE');
  });
});

describe('a Node worker with mutual TLS', () => {
  const module = bridgeFixture('commands.mjs');

  it('lets its host in by one-time certificates of the offer, and nobody else', async () => {
    const tls = createOneTimeTls();
    const offered = { ...tls.worker, clientCa: tls.authority };
    const worker = GrpcWorkerProcess.owned(module, { listen: ['127.0.0.1:0'], tls: offered });
    cleanUps.push(() => worker.kill());

    await expectOnly(await worker.listening(), tls);
  });

  it('takes certificates from files when it stands alone', async () => {
    const tls = createOneTimeTls();
    const dir = mkdtempSync(join(tmpdir(), 'snakepit-tls-'));
    cleanUps.push(() => rmSync(dir, { recursive: true }));
    const file = (name: string, text: string): string => {
      writeFileSync(join(dir, name), text, { mode: 0o600 });
      return join(dir, name);
    };
    const worker = GrpcWorkerProcess.standalone(module, [
      '--listen',
      'localhost:0',
      '--token-file',
      bridgeFixture('token'),
      '--tls-cert',
      file('cert.pem', tls.worker.certificate),
      '--tls-key',
      file('key.pem', tls.worker.key),
      '--tls-client-ca',
      file('ca.pem', tls.authority),
    ]);
    cleanUps.push(() => worker.kill());

    await expectOnly(await worker.listening(), tls);
  });
});

function bridgeFixture(name: string): string {
  return fileURLToPath(new URL(`../../bridges/node/test/fixtures/${name}`, import.meta.url));
}

/** The host of these certificates is served; one of others, and one without TLS, is not. */
async function expectOnly(address: string, tls: OneTimeTls): Promise<void> {
  const host = await hostEnd(address, tls).attach('msgpack');
  expect(await host.call('sum', [1, 2])).toMatchObject({ value: 3 });
  const stranger = hostEnd(address, { ...tls, host: createOneTimeTls().host });
  expect(await stranger.call('sum', [1, 2])).toMatchObject({ status: status.UNAVAILABLE });
  const plain = new HostEnd(address);
  cleanUps.push(() => plain.close());
  expect(await plain.call('sum', [1, 2])).toMatchObject({ status: status.UNAVAILABLE });
}

function hostEnd(address: string, { authority, host }: OneTimeTls): HostEnd {
  const secrets = credentials.createSsl(Buffer.from(authority), Buffer.from(host.key), Buffer.from(host.certificate));
  const end = new HostEnd(address, { credentials: secrets, serverName: WORKER_TLS_NAME });
  cleanUps.push(() => end.close());
  return end;
}

function python(script: string): ChildProcess {
  const path = fileURLToPath(new URL(`../fixtures/integration/${script}`, import.meta.url));
  const env = { ...process.env, PYTHONPATH: inject('pythonPackages') };
  return spawn('python3', [path], { env, stdio: ['pipe', 'pipe', 'ignore'] });
}

async function firstLine(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stdout! });
  const [line] = (await once(lines, 'line')) as [string];
  return line;
}

async function pythonServer({ authority, worker }: OneTimeTls): Promise<number> {
  const child = python('tls_server.py');
  cleanUps.push(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  child.stdin!.write(`${JSON.stringify({ ...worker, clientCa: authority })}\n`);
  return Number(await firstLine(child));
}

async function pythonClient(port: number, { authority, host }: OneTimeTls): Promise<string> {
  const child = python('tls_client.py');
  child.stdin!.end(`${JSON.stringify({ port, ...host, serverCa: authority })}\n`);
  return await firstLine(child);
}

async function nodeServer({ authority, worker }: OneTimeTls): Promise<number> {
  const server = new Server();
  cleanUps.push(() => server.forceShutdown());
  server.addService(HealthService as unknown as ServiceDefinition, {
    check: (_: unknown, answer: (error: null, value: HealthCheckResponse) => void) => answer(null, { status: SERVING }),
    watch: () => {},
  });
  const pair = { cert_chain: Buffer.from(worker.certificate), private_key: Buffer.from(worker.key) };
  const secrets = ServerCredentials.createSsl(Buffer.from(authority), [pair], true);
  return await new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', secrets, (error, port) => (error ? reject(error) : resolve(port))),
  );
}

function check(port: number, { authority, host }: OneTimeTls): Promise<HealthCheckResponse> {
  const secrets = credentials.createSsl(Buffer.from(authority), Buffer.from(host.key), Buffer.from(host.certificate));
  const client = new Client(`127.0.0.1:${port}`, secrets, { 'grpc.ssl_target_name_override': WORKER_TLS_NAME });
  cleanUps.push(() => client.close());
  const { path, requestSerialize, responseDeserialize } = HealthService.check;
  const request: HealthCheckRequestInit = {};
  return new Promise((resolve, reject) =>
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) =>
      error ? reject(error) : resolve(answer!),
    ),
  );
}
