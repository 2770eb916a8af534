import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';

import * as grpcJs from '@grpc/grpc-js';
import { createSnakepit, grpc, type GrpcOptions } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, it } from 'vitest';

import {
  createOneTimeTls,
  WORKER_TLS_NAME,
  type OneTimeTls,
} from '../../../libs/snakepit/src/worker/tls/one-time-tls.js';
import { failureOf } from '../../support/outcomes.js';
import { ScriptedGrpcWorker, type Script } from '../../support/scripted-grpc-worker.js';

const ELEVEN_YEARS_MS = 11 * 366 * 24 * 3_600_000;

const workers: ScriptedGrpcWorker[] = [];
const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
  for (const server of servers.splice(0)) server.close();
});

async function workerOnTcp(script: Script): Promise<string> {
  const worker = await ScriptedGrpcWorker.start(script, '127.0.0.1:0');
  workers.push(worker);
  return `127.0.0.1:${worker.port}`;
}

function serverCredentials({ authority, worker }: OneTimeTls): grpcJs.ServerCredentials {
  const pair = { cert_chain: Buffer.from(worker.certificate), private_key: Buffer.from(worker.key) };
  return grpcJs.ServerCredentials.createSsl(Buffer.from(authority), [pair], true);
}

function clientTls({ authority: ca, host }: OneTimeTls, over = {}) {
  return { ca, certificate: host.certificate, key: host.key, serverName: WORKER_TLS_NAME, ...over };
}

async function failedStart(options: GrpcOptions, startTimeoutMs = 5_000) {
  const error = await failureOf(createSnakepit({ adapter: grpc(options), size: 1, startTimeoutMs }));
  expect(error).toMatchObject({ code: 'WORKER_UNREACHABLE', delivery: 'not-started', retryable: true });
  return error.message;
}

/** A server whose control stream ends at once. */
function refusing(code: grpcJs.status, details: string): Script {
  return { attach: (control) => control.emit('error', { code, details }) };
}

describe('a pool that attaches to', () => {
  it('nothing says that nobody listens there', async () => {
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const address = `127.0.0.1:${(nobody.address() as AddressInfo).port}`;
    nobody.close();
    await once(nobody, 'close');
    const message = await failedStart({ address });
    expect(message).toContain(`attaching to ${address} failed: UNAVAILABLE`);
    expect(message).toContain(`Start the worker that is to listen at ${address}, or correct the address.`);
  });

  it('a socket that is not there says so', async () => {
    expect(await failedStart({ address: 'unix:/tmp/no-such-folder/worker.sock' })).toContain('Start the worker');
  });

  it('a name that nobody knows says so', async () => {
    expect(await failedStart({ address: 'no-such-host.invalid:50051' })).toMatch(
      /Correct the host name|Start the worker/,
    );
  });

  it('a worker with another token says which option to mend', async () => {
    const address = await workerOnTcp(refusing(grpcJs.status.UNAUTHENTICATED, 'wrong token'));
    expect(await failedStart({ address })).toContain(`Give 'token' what the worker was started with`);
    expect(await failedStart({ address, token: 'old' })).toContain('was started with another token');
  });

  it('a server of another kind says so', async () => {
    const other = new grpcJs.Server();
    const port = await new Promise<number>((resolve, reject) => {
      const credentials = grpcJs.ServerCredentials.createInsecure();
      other.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    try {
      expect(await failedStart({ address: `127.0.0.1:${port}` })).toContain('serves no snakepit.v2.Worker');
    } finally {
      other.forceShutdown();
    }
  });

  it('a worker that takes no more attachments passes on what it says', async () => {
    const address = await workerOnTcp(refusing(grpcJs.status.FAILED_PRECONDITION, 'it has a host already'));
    expect(await failedStart({ address })).toContain('it has a host already');
  });

  it('something that accepts connections and says nothing gives up after startTimeoutMs', async () => {
    const mute = createServer(() => {}).listen(0, '127.0.0.1');
    servers.push(mute);
    await once(mute, 'listening');
    const address = `127.0.0.1:${(mute.address() as AddressInfo).port}`;
    expect(await failedStart({ address }, 300)).toContain('it was not ready within 300 ms (startTimeoutMs)');
  });
});

describe('mutual TLS', () => {
  const tls = createOneTimeTls();

  it('carries calls where both sides show what the other expects', async () => {
    const address = await workerOnTcp({
      credentials: serverCredentials(tls),
      execute: (_call, answer) => answer(null, { body: Buffer.from('"secret"') }),
    });
    const snakepit = await createSnakepit({ adapter: grpc({ address, tls: clientTls(tls) }) });
    try {
      expect(await snakepit.pool().execute('run')).toBe('secret');
    } finally {
      await snakepit.close();
    }
  });

  it('fails to a port without TLS, and says to leave it out', async () => {
    const address = await workerOnTcp({});
    expect(await failedStart({ address, tls: clientTls(tls) })).toMatch(/leave out 'tls'/);
  });

  it('that the host leaves out fails, and says to give it', async () => {
    const address = await workerOnTcp({ credentials: serverCredentials(tls) });
    expect(await failedStart({ address })).toMatch(/If it speaks TLS, give 'tls'/);
  });

  it('fails for a worker that somebody unknown has signed', async () => {
    const address = await workerOnTcp({ credentials: serverCredentials(createOneTimeTls()) });
    expect(await failedStart({ address, tls: clientTls(tls) })).toContain(`Give 'tls.ca' the certificate`);
  });

  it('fails for a host that shows no certificate, or one of somebody unknown', async () => {
    const address = await workerOnTcp({ credentials: serverCredentials(tls) });
    const nothing = { ca: tls.authority, serverName: WORKER_TLS_NAME };
    expect(await failedStart({ address, tls: nothing })).toMatch(/tls\.certificate|broke off/);
    const stranger = { ...clientTls(createOneTimeTls()), ca: tls.authority };
    expect(await failedStart({ address, tls: stranger })).toMatch(/tls\.certificate|tls\.ca|broke off/);
  });

  it('fails for a worker whose certificate has expired', async () => {
    const old = createOneTimeTls(new Date(Date.now() - ELEVEN_YEARS_MS));
    const address = await workerOnTcp({ credentials: serverCredentials(old) });
    expect(await failedStart({ address, tls: clientTls(old) })).toContain('Renew the certificate');
  });

  it('fails for a worker of another name', async () => {
    const address = await workerOnTcp({ credentials: serverCredentials(tls) });
    const message = await failedStart({ address, tls: clientTls(tls, { serverName: 'models.example' }) });
    expect(message).toContain(`'tls.serverName'`);
  });

  it('fails for certificates that are none', async () => {
    const garbage = '-----BEGIN PRIVATE KEY-----\nnope\n-----END PRIVATE KEY-----\n';
    const message = await failedStart({ address: '127.0.0.1:1', tls: clientTls(tls, { key: garbage }) });
    expect(message).toContain('certificates cannot be used');
  });
});
