import { createHash, randomBytes, sign, type KeyObject } from 'node:crypto';

import {
  bitString,
  boolean,
  explicit,
  implicit,
  namedBits,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  time,
  unsignedInteger,
  utf8String,
} from './der.js';

const SERIAL_BYTES = 16;
const PEM_COLUMNS = /.{1,64}/g;

const Oid = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** Bits of KeyUsage, https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.3 */
const KeyUsage = { DIGITAL_SIGNATURE: 0, KEY_CERT_SIGN: 5, CRL_SIGN: 6 } as const;

const VERSION_3 = Buffer.of(2);
const DNS_NAME = 2;
const KEY_IDENTIFIER = 0;
/** An authority's certificates sign no other authorities. */
const NO_FURTHER_AUTHORITIES = unsignedInteger(Buffer.of(0));
const SIGNATURE_ALGORITHM = sequence(objectIdentifier(Oid.ecdsaWithSha256));

export type CertificateRole = 'authority' | 'server' | 'client';

export interface CertificateInput {
  readonly role: CertificateRole;
  readonly commonName: string;
  /** An EC key. */
  readonly publicKey: KeyObject;
  readonly validFrom: Date;
  readonly validUntil: Date;
  /** Whose certificate it is to be signed by; the authority itself for its own. */
  readonly issuer: { readonly commonName: string; readonly publicKey: KeyObject; readonly privateKey: KeyObject };
}

/**
 * An X.509 certificate of version 3 as PEM text, signed by ECDSA with SHA-256. A server's name is its DNS name too.
 *
 * Profile: https://www.rfc-editor.org/rfc/rfc5280#section-4
 */
export function createCertificate(input: CertificateInput): string {
  const { commonName, publicKey, validFrom, validUntil, issuer } = input;
  const content = sequence(
    explicit(0, unsignedInteger(VERSION_3)),
    unsignedInteger(randomSerial()),
    SIGNATURE_ALGORITHM,
    nameOf(issuer.commonName),
    sequence(time(validFrom), time(validUntil)),
    nameOf(commonName),
    subjectPublicKeyInfo(publicKey),
    explicit(3, sequence(...extensionsOf(input))),
  );
  const signature = sign('sha256', content, { key: issuer.privateKey, dsaEncoding: 'der' });
  return pemOf(sequence(content, SIGNATURE_ALGORITHM, bitString(signature)));
}

function extensionsOf({ role, commonName, publicKey, issuer }: CertificateInput): Buffer[] {
  const isAuthority = role === 'authority';
  const extensions = [
    critical(Oid.basicConstraints, isAuthority ? sequence(boolean(true), NO_FURTHER_AUTHORITIES) : sequence()),
    critical(
      Oid.keyUsage,
      isAuthority ? namedBits(KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN) : namedBits(KeyUsage.DIGITAL_SIGNATURE),
    ),
    extension(Oid.subjectKeyIdentifier, octetString(keyIdentifier(publicKey))),
    extension(Oid.authorityKeyIdentifier, sequence(implicit(KEY_IDENTIFIER, keyIdentifier(issuer.publicKey)))),
  ];
  if (isAuthority) return extensions;
  const purpose = role === 'server' ? Oid.serverAuth : Oid.clientAuth;
  extensions.push(extension(Oid.extendedKeyUsage, sequence(objectIdentifier(purpose))));
  if (role === 'server') {
    const name = Buffer.from(commonName, 'latin1');
    extensions.push(extension(Oid.subjectAltName, sequence(implicit(DNS_NAME, name))));
  }
  return extensions;
}

function extension(oid: string, value: Buffer): Buffer {
  return sequence(objectIdentifier(oid), octetString(value));
}

/** Who does not understand it must refuse the certificate. */
function critical(oid: string, value: Buffer): Buffer {
  return sequence(objectIdentifier(oid), boolean(true), octetString(value));
}

function nameOf(commonName: string): Buffer {
  return sequence(setOf(sequence(objectIdentifier(Oid.commonName), utf8String(commonName))));
}

/** Positive, and always of as many bytes. */
function randomSerial(): Buffer {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes;
}

/** The fourth method of https://www.rfc-editor.org/rfc/rfc7093#section-2, which does without SHA-1. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha256').update(subjectPublicKeyInfo(publicKey)).digest();
}

function subjectPublicKeyInfo(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(PEM_COLUMNS) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
