import { mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Request } from 'express';
import { diskStorage, type StorageEngine } from 'multer';

/**
 * Uploads go to disk as they arrive, each into a folder of its own, which lives exactly as long as the request: whatever ends
 * it, a client that leaves half-way included, takes the folder away.
 */
@Injectable()
export class UploadsService implements OnApplicationShutdown {
  readonly #folder = mkdtempSync(join(tmpdir(), 'snakepit-demo-'));

  readonly storage: StorageEngine = diskStorage({
    destination: (request, _file, done) => done(null, this.#folderOf(request)),
    filename: (_request, _file, done) => done(null, 'upload.csv'),
  });

  async onApplicationShutdown(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  #folderOf(request: Request): string {
    mkdirSync(this.#folder, { recursive: true });
    const folder = mkdtempSync(join(this.#folder, 'request-'));
    request.res?.once('close', () => void rm(folder, { recursive: true, force: true }));
    return folder;
  }
}
