import { randomBytes, randomInt } from 'node:crypto';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { HandshakeRefused, type GrpcClientTls, type GrpcOffer, type GrpcTarget } from '../channel/index.js';
import { toError } from '../core/index.js';
import { hostFolderPrefix } from './host-folder.js';
import type { GrpcListenSpec } from './launch-spec.js';
import type { Privileges } from './privileges.js';
import { createOneTimeTls, WORKER_TLS_NAME } from './tls/one-time-tls.js';

const TOKEN_BYTES = 32;
/** Of a socket's path; the kernel takes no longer ones. */
const MAX_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;

/**
 * Where one worker is to serve gRPC, and what it and its host show each other: made anew for each start of a worker.
 *
 * Whoever makes it closes it when the worker has ended.
 */
export class GrpcEndpoint {
  readonly #spec: GrpcListenSpec;
  readonly #token = randomBytes(TOKEN_BYTES).toString('base64url');
  readonly #tls: { readonly worker: GrpcOffer['tls']; readonly host: GrpcClientTls | undefined };
  /** Of the socket; only this user may enter it. */
  readonly #folder: string | undefined;

  /** @throws HandshakeRefused when there can be no folder for the socket */
  constructor(spec: GrpcListenSpec, privileges?: Privileges) {
    this.#spec = spec;
    this.#tls = certificatesOf(spec.tls);
    this.#folder = spec.listen === 'unix' ? makeFolder() : undefined;
    const { uid, gid } = privileges ?? {};
    // The socket is made by the worker, whoever that is; the host, which is root then, may enter all the same.
    if (this.#folder !== undefined && uid !== undefined && gid !== undefined) chownSync(this.#folder, uid, gid);
  }

  offer(maxFrameBytes: number): GrpcOffer {
    const { reflection } = this.#spec;
    const { worker: tls } = this.#tls;
    return { listen: this.#addresses(), token: this.#token, maxFrameBytes, reflection, ...(tls && { tls }) };
  }

  target(listening: string): GrpcTarget {
    return { address: listening, token: this.#token, tls: this.#tls.host, isOwn: true };
  }

  close(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #addresses(): string[] {
    if (this.#folder !== undefined) return [`unix:${socketIn(this.#folder)}`];
    const { host, basePort, portRange } = this.#spec;
    const at = (port: number): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
    if (basePort === 0) return [at(0)];
    // Workers that start at the same time begin in different places, and so seldom try the same port.
    const first = randomInt(portRange);
    return Array.from({ length: portRange }, (_, index) => at(basePort + ((first + index) % portRange)));
  }
}

function certificatesOf(tls: GrpcListenSpec['tls']): { worker: GrpcOffer['tls']; host: GrpcClientTls | undefined } {
  if (tls === undefined) return { worker: undefined, host: undefined };
  if (tls !== 'one-time') {
    const { ca, worker, host, serverName } = tls;
    return { worker: { ...worker, clientCa: ca }, host: { ca, ...host, serverName } };
  }
  const { authority, worker, host } = createOneTimeTls();
  return {
    worker: { ...worker, clientCa: authority },
    host: { ca: authority, ...host, serverName: WORKER_TLS_NAME },
  };
}

/** Synchronous, like the spawn that goes with it. */
function makeFolder(): string {
  const parent = tmpdir();
  let folder: string;
  try {
    folder = mkdtempSync(hostFolderPrefix());
  } catch (cause) {
    throw new HandshakeRefused(`there can be no folder for its socket: ${toError(cause).message}`, {
      remedy: `Make ${parent} writable, name another folder by TMPDIR, or set 'grpc.listen' to 'tcp'.`,
    });
  }
  if (Buffer.byteLength(socketIn(folder)) <= MAX_PATH_BYTES) return folder;
  rmSync(folder, { recursive: true, force: true });
  throw new HandshakeRefused(`${socketIn(folder)} is longer than the ${MAX_PATH_BYTES} bytes of a socket's path`, {
    remedy: `Name a folder with a shorter path by TMPDIR, or set 'grpc.listen' to 'tcp'.`,
  });
}

function socketIn(folder: string): string {
  return join(folder, 'worker.sock');
}
