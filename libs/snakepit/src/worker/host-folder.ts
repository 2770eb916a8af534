import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { hostMark } from './host-mark.js';
import type { Privileges } from './privileges.js';

/** What the names of a host's folders for temporary files begin with: they tell whose they are, so that the guardian can remove them. */
export function hostFolderPrefix(): string {
  return join(tmpdir(), `snakepit-${hostMark() ?? ''}-`);
}

/**
 * A folder for what one process keeps in files while it lives. It belongs to the user that the process runs as; whoever makes it removes it
 * when the process has ended, and should the host be gone by then, the guardian does.
 */
export class ProcessFolder {
  readonly path: string;
  readonly #other: { readonly uid: number; readonly gid: number } | undefined;
  #removed: Promise<void> | undefined;

  /** Synchronous, like the spawn that goes with it. @throws what the file system says */
  constructor(privileges?: Privileges) {
    const { uid, gid } = privileges ?? {};
    this.path = mkdtempSync(hostFolderPrefix());
    if (uid === undefined || gid === undefined || uid === process.getuid?.()) return;
    chownSync(this.path, uid, gid);
    this.#other = { uid, gid };
  }

  /** Never rejects: what cannot be removed stays. */
  remove(): Promise<void> {
    this.#removed ??= this.#other === undefined ? this.#removeOwn() : this.#removeAs(this.#other);
    return this.#removed;
  }

  async #removeOwn(): Promise<void> {
    // Somebody who has left the process's group may still write there.
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }

  /** As the other user, who could else have root follow links of theirs while it removes what is theirs. */
  async #removeAs(user: { readonly uid: number; readonly gid: number }): Promise<void> {
    const child = spawn('rm', ['-rf', this.path], { ...user, cwd: '/', stdio: 'ignore' });
    await once(child, 'exit').catch(() => {});
  }
}
