import { mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BadRequestException, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Request, Response } from 'express';
import multer, { diskStorage, MulterError } from 'multer';

export interface Upload {
  readonly file: Express.Multer.File | undefined;
  /** The other fields of the form. */
  readonly body: unknown;
}

/**
 * Uploads go to disk as they arrive, each into a folder of its own, which lives exactly as long as the request: whatever ends
 * it, a client that leaves half-way included, takes the folder away.
 */
@Injectable()
export class UploadsService implements OnApplicationShutdown {
  readonly #folder = mkdtempSync(join(tmpdir(), 'snakepit-demo-'));
  readonly #responses = new WeakMap<Request, ServerResponse>();
  readonly #takeFile = promisify(
    multer({
      storage: diskStorage({
        destination: (request, _file, done) => done(null, this.#folderOf(request)),
        filename: (_request, _file, done) => done(null, 'upload.csv'),
      }),
      limits: { files: 1, fields: 20 },
    }).single('file'),
  );

  /** Reads a form whose field `file` is a file; what is no form is let alone. Multer asks for no more of Express than Node has. */
  async receive(request: Request, response: Response): Promise<Upload> {
    this.#responses.set(request, response);
    try {
      await this.#takeFile(request, response);
    } catch (error) {
      if (error instanceof MulterError) throw new BadRequestException(withField(error));
      throw error;
    }
    return { file: request.file, body: request.body };
  }

  async onApplicationShutdown(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  #folderOf(request: Request): string {
    mkdirSync(this.#folder, { recursive: true });
    const folder = mkdtempSync(join(this.#folder, 'request-'));
    this.#responses.get(request)?.once('close', () => void rm(folder, { recursive: true, force: true }));
    return folder;
  }
}

function withField({ code, message, field }: MulterError): string {
  if (code === 'LIMIT_UNEXPECTED_FILE') return `Unexpected file field - ${field}`;
  return field === undefined ? message : `${message} - ${field}`;
}
