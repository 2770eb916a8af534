import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

import { SnakepitError, type Clock } from '../core/index.js';
import { hostFolderPrefix } from './host-folder.js';

/** What a forked worker connects for. */
export const ROLES = ['stdout', 'stderr', 'channel'] as const;
export type Role = (typeof ROLES)[number];

/** The user that workers run as, where it is not that of the host. */
export interface Guests {
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

export type OnArrival = (role: Role, socket: Socket) => void;

/** Of a socket's path; the kernel takes no longer ones. */
const MAX_PATH_BYTES = 107;
/** How long who knocks may take to say who it is. */
const INTRODUCTION_MS = 5_000;
const MAX_INTRODUCTION_BYTES = 128;

/**
 * Where forked workers come in: a socket in a folder that only this user may enter. Each connection says in its first line a token
 * and a role, `6f1c… channel`; whoever does not is turned away.
 */
export class ZygoteDoor {
  readonly path: string;
  readonly #folder: string;
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #expected = new Map<string, OnArrival>();
  /** Those that have not said yet who they are. */
  readonly #strangers = new Set<Socket>();

  /** @throws SnakepitError MISUSE when the folder for temporary files has too long a name for a socket in it */
  static async open(clock: Clock, guests: Guests = {}): Promise<ZygoteDoor> {
    const folder = await mkdtemp(hostFolderPrefix());
    const door = new ZygoteDoor(folder, clock);
    try {
      await door.#listen();
      await door.#admitTo(guests);
    } catch (error) {
      await door.close();
      throw error;
    }
    return door;
  }

  private constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.path = join(folder, 'door');
    this.#clock = clock;
    this.#server = createServer((socket) => this.#onKnock(socket));
  }

  /** Hands on each connection that comes with this token, one for each role. */
  expect(token: string, onArrival: OnArrival): void {
    const awaited = new Set<Role>(ROLES);
    this.#expected.set(token, (role, socket) => {
      if (!awaited.delete(role)) return void socket.destroy();
      if (awaited.size === 0) this.forget(token);
      onArrival(role, socket);
    });
  }

  forget(token: string): void {
    this.#expected.delete(token);
  }

  /** Lets nobody in any more; those who are in stay. */
  async close(): Promise<void> {
    this.#server.close();
    for (const stranger of this.#strangers) stranger.destroy();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #listen(): Promise<void> {
    if (Buffer.byteLength(this.path) > MAX_PATH_BYTES) {
      const reason = `No socket can have the path ${this.path}, which is longer than ${MAX_PATH_BYTES} bytes. Set TMPDIR to a shorter one.`;
      throw new SnakepitError('MISUSE', { reason });
    }
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(this.path, resolve);
    });
    await chmod(this.path, 0o600);
  }

  /**
   * Lets another user's workers in. The folder stays the host's own and lets their group pass through; only they may open the socket.
   */
  async #admitTo({ uid, gid }: Guests): Promise<void> {
    if (uid === undefined || gid === undefined || uid === process.getuid?.()) return;
    await chown(this.path, uid, gid);
    await chown(this.#folder, -1, gid);
    await chmod(this.#folder, 0o710);
  }

  #onKnock(socket: Socket): void {
    this.#strangers.add(socket);
    const patience = this.#clock.after(INTRODUCTION_MS, () => socket.destroy());
    const introduce = (): void => {
      const said = socket.read() as Buffer | null;
      if (said === null) return;
      const end = said.indexOf('\n');
      if (end < 0 && said.length < MAX_INTRODUCTION_BYTES) return socket.unshift(said);
      part();
      // What follows the line is for whoever listens next.
      if (end >= 0 && end + 1 < said.length) socket.unshift(said.subarray(end + 1));
      this.#admit(socket, said.toString('latin1', 0, Math.max(end, 0)));
    };
    const part = (): void => {
      patience.cancel();
      this.#strangers.delete(socket);
      socket.off('readable', introduce).off('close', part);
    };
    // Whoever breaks off has nothing to say that its exit does not.
    socket
      .on('readable', introduce)
      .on('close', part)
      .on('error', () => {});
  }

  #admit(socket: Socket, introduction: string): void {
    const [token = '', role] = introduction.split(' ');
    const onArrival = this.#expected.get(token);
    const known = ROLES.find((each) => each === role);
    if (onArrival === undefined || known === undefined) return void socket.destroy();
    onArrival(known, socket);
  }
}
