import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';

import { afterEach, describe, expect, it } from 'vitest';

import { createOneTimeTls, WORKER_TLS_NAME, type OneTimeTls, type TlsIdentity } from './one-time-tls.js';

const DAY_MS = 24 * 3_600_000;
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

const read = ({ authority, worker, host }: OneTimeTls) => ({
  authority: new X509Certificate(authority),
  worker: new X509Certificate(worker.certificate),
  host: new X509Certificate(host.certificate),
});

describe('one-time TLS certificates', () => {
  it('are signed by their authority, which signs itself', () => {
    const { authority, worker, host } = read(createOneTimeTls());

    expect(authority.ca).toBe(true);
    for (const certificate of [authority, worker, host]) {
      expect(certificate.checkIssued(authority)).toBe(true);
      expect(certificate.verify(authority.publicKey)).toBe(true);
    }
    expect([worker.ca, host.ca]).toEqual([false, false]);
  });

  it('fit their keys, of the curve P-256', () => {
    const tls = createOneTimeTls();

    for (const { certificate, key } of [tls.worker, tls.host]) {
      const parsed = new X509Certificate(certificate);
      expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true);
      expect(parsed.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    }
  });

  it('say who may be what: the worker a server by its name, the host a client', () => {
    const { worker, host } = read(createOneTimeTls());

    expect(worker.checkHost(WORKER_TLS_NAME)).toBe(WORKER_TLS_NAME);
    expect(worker.checkHost('localhost')).toBeUndefined();
    expect(worker.toLegacyObject()).toMatchObject({ ext_key_usage: ['1.3.6.1.5.5.7.3.1'] });
    expect(host.toLegacyObject()).toMatchObject({ ext_key_usage: ['1.3.6.1.5.5.7.3.2'] });
  });

  it('are valid from a day before for ten years, also across 2050', () => {
    const now = new Date('2045-06-01T12:00:00Z');
    const { authority, worker } = read(createOneTimeTls(now));

    for (const certificate of [authority, worker]) {
      expect(Date.parse(certificate.validFrom)).toBe(now.getTime() - DAY_MS);
      expect(Date.parse(certificate.validTo)).toBe(now.getTime() + 3650 * DAY_MS);
    }
  });

  it('have positive serial numbers of 16 bytes, no two alike, and a new authority each time', () => {
    const all = Array.from({ length: 50 }, () => read(createOneTimeTls()));
    const certificates = all.flatMap((each) => Object.values(each));

    expect(new Set(certificates.map((each) => each.serialNumber)).size).toBe(150);
    for (const { serialNumber } of certificates) expect(serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    expect(all[0]!.worker.checkIssued(all[1]!.authority)).toBe(false);
    expect(all[0]!.worker.verify(all[1]!.authority.publicKey)).toBe(false);
  });

  it.runIf(hasOpenssl)('pass the strict checks of OpenSSL for their purpose, and no other', () => {
    const tls = createOneTimeTls();
    const verify = openssl(tls.authority);

    expect(verify(tls.worker, 'sslserver', '-verify_hostname', WORKER_TLS_NAME)).toBe(0);
    expect(verify(tls.host, 'sslclient')).toBe(0);
    expect(verify(tls.worker, 'sslclient')).not.toBe(0);
    expect(verify(tls.host, 'sslserver')).not.toBe(0);
    expect(verify(createOneTimeTls().worker, 'sslserver')).not.toBe(0);
  });

  it.runIf(hasOpenssl)('are DER that OpenSSL writes the same', () => {
    const { worker } = createOneTimeTls();
    const der = new X509Certificate(worker.certificate).raw;

    expect(execFileSync('openssl', ['x509', '-outform', 'DER'], { input: worker.certificate })).toEqual(der);
  });
});

describe('a TLS connection with one-time certificates', () => {
  it('knows both ends', async () => {
    const tls = createOneTimeTls();
    const port = await listen(tls);

    expect(await greet(port, tls.authority, tls.host)).toBe('snakepit-host');
  });

  it('refuses a worker of another authority', async () => {
    const tls = createOneTimeTls();
    const port = await listen(createOneTimeTls());

    await expect(greet(port, tls.authority, tls.host)).rejects.toThrow(/certificate/);
  });

  it("refuses a host of another authority, one without a certificate, and the worker's own", async () => {
    const tls = createOneTimeTls();
    const port = await listen(tls);

    await expect(greet(port, tls.authority, createOneTimeTls().host)).rejects.toThrow(/alert|reset/i);
    await expect(greet(port, tls.authority)).rejects.toThrow(/alert|reset/i);
    await expect(greet(port, tls.authority, tls.worker)).rejects.toThrow(/alert|reset/i);
  });
});

/** Returns OpenSSL's exit code for a certificate. */
function openssl(authority: string): (identity: TlsIdentity, purpose: string, ...more: string[]) => number | null {
  const dir = mkdtempSync(join(tmpdir(), 'snakepit-tls-'));
  cleanUps.push(() => rmSync(dir, { recursive: true }));
  const caFile = join(dir, 'authority.pem');
  writeFileSync(caFile, authority);
  return ({ certificate }, purpose, ...more) => {
    const args = ['verify', '-x509_strict', '-CAfile', caFile, '-purpose', purpose, ...more];
    return spawnSync('openssl', args, { input: certificate }).status;
  };
}

/** A server that says its client's name. */
async function listen({ authority, worker }: OneTimeTls): Promise<number> {
  const options = { cert: worker.certificate, key: worker.key, ca: authority, requestCert: true };
  const server = createServer(options, (socket) => {
    socket.on('error', () => {});
    socket.end(String(socket.getPeerCertificate().subject.CN));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

async function greet(port: number, authority: string, identity?: TlsIdentity): Promise<string> {
  const socket: TLSSocket = connect({
    port,
    host: '127.0.0.1',
    servername: WORKER_TLS_NAME,
    ca: authority,
    ...(identity && { cert: identity.certificate, key: identity.key }),
  });
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(socket, 'close');
  if (text === '') throw new Error('reset without a word');
  return text;
}
