import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { PoolService, type InputSource } from 'nestjs-snakepit';

export interface FileSummary {
  readonly bytes: number;
  readonly lines: number;
  readonly sha256: string;
}

/** A large file takes as long as its client's connection does. */
const UNLIMITED = { timeoutMs: Infinity } as const;

/** Work on files while they are being uploaded: nothing of them is ever stored, nor held in memory as a whole. */
@Injectable()
export class TransferService {
  constructor(private readonly pool: PoolService) {}

  filter(input: InputSource, text: string): Readable {
    return this.pool.readable('filter_upload', { text }, { input, ...UNLIMITED });
  }

  gzip(input: InputSource, level: number): Readable {
    return this.pool.readable('gzip_upload', { level }, { input, ...UNLIMITED });
  }

  summarize(input: InputSource): Promise<FileSummary> {
    return this.pool.execute<FileSummary>('summarize_upload', null, { input, ...UNLIMITED });
  }
}
