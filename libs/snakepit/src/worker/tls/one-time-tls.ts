import { generateKeyPairSync, randomBytes, type KeyPairKeyObjectResult } from 'node:crypto';

import { createCertificate, type CertificateRole } from './certificate.js';

/** The name in a worker's certificate; the host checks it in place of the address. */
export const WORKER_TLS_NAME = 'snakepit-worker';
const HOST_TLS_NAME = 'snakepit-host';

/** For clocks that are set back while a worker runs. */
const BACKDATED_MS = 24 * 3_600_000;
/**
 * Longer than a worker lives, because a connection may have to be opened anew at any time. What limits the use of these
 * keys is that they are in the memory of two processes only, and trusted by no third.
 */
const VALID_MS = 10 * 365 * 24 * 3_600_000;

export interface TlsIdentity {
  /** PEM text. */
  readonly certificate: string;
  /** PEM text, PKCS #8, not encrypted. */
  readonly key: string;
}

export interface OneTimeTls {
  /** The certificate, in PEM, of who signed the other two; its key is gone when this is returned. */
  readonly authority: string;
  /** A server by the name of `WORKER_TLS_NAME`. */
  readonly worker: TlsIdentity;
  /** A client. */
  readonly host: TlsIdentity;
}

/**
 * What one start of a worker needs for mutual TLS: certificates that worker and host can show each other, and nobody
 * else. Valid from a day before `now` for ten years; keys are of the curve P-256. Nothing is written to a disk.
 */
export function createOneTimeTls(now: Date = new Date()): OneTimeTls {
  const authority = { commonName: `snakepit authority ${randomBytes(8).toString('hex')}`, ...createKeys() };
  const validFrom = new Date(now.getTime() - BACKDATED_MS);
  const validUntil = new Date(now.getTime() + VALID_MS);
  const certify = (role: CertificateRole, commonName: string, { publicKey }: KeyPairKeyObjectResult): string =>
    createCertificate({ role, commonName, publicKey, validFrom, validUntil, issuer: authority });
  const identify = (role: CertificateRole, commonName: string): TlsIdentity => {
    const keys = createKeys();
    const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    return { certificate: certify(role, commonName, keys), key };
  };
  return {
    authority: certify('authority', authority.commonName, authority),
    worker: identify('server', WORKER_TLS_NAME),
    host: identify('client', HOST_TLS_NAME),
  };
}

function createKeys(): KeyPairKeyObjectResult {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}
