import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';

import { ProtocolViolation } from './failures.js';
import { allocateBuffer } from './large-buffer.js';

const SHARED_MEMORY = '/dev/shm';

/**
 * A nameless file in shared memory: it is gone when the last process that has it open is, however that one ends. Its pages
 * exist from when they are first written.
 */
export class ArenaFile {
  #isClosed = false;

  constructor(
    readonly fd: number,
    readonly bytes: number,
  ) {}

  /** @throws where there is no shared memory, or none that may be written */
  static create(bytes: number): ArenaFile {
    const path = `${SHARED_MEMORY}/snakepit-${randomUUID()}`;
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
    const fd = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      unlinkSync(path);
      ftruncateSync(fd, bytes);
      return new ArenaFile(fd, bytes);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** The file that a process was started with; undefined when the descriptor is no file of that size. */
  static inherit(fd: number, bytes: number): ArenaFile | undefined {
    try {
      const stat = fstatSync(fd);
      return stat.isFile() && stat.size === bytes ? new ArenaFile(fd, bytes) : undefined;
    } catch {
      return undefined;
    }
  }

  /** False when the memory is full, or the file is closed; what was written of the bytes then means nothing. */
  write(bytes: Uint8Array, at: number): boolean {
    if (this.#isClosed) return false;
    try {
      let written = 0;
      while (written < bytes.length) {
        written += writeSync(this.fd, bytes, written, bytes.length - written, at + written);
      }
      return true;
    } catch (error) {
      if (isFull(error)) return false;
      throw error;
    }
  }

  /** @throws ProtocolViolation when the other side has shortened the file */
  read(at: number, length: number): Buffer {
    const bytes = allocateBuffer(length);
    let filled = 0;
    while (filled < length) {
      const count = this.#isClosed ? 0 : readSync(this.fd, bytes, filled, length - filled, at + filled);
      if (count === 0) throw new ProtocolViolation('the arena ends early');
      filled += count;
    }
    return bytes;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.fd);
  }
}

function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG' || code === 'ENOMEM';
}
