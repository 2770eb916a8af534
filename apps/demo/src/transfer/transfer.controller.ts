import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { applyDecorators, Controller, Header, HttpCode, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import { RequestStream } from 'nestjs-snakepit';
import { z } from 'zod';

import { TransferService, type FileSummary } from './transfer.service.js';

const gzipSchema = z.object({ level: z.coerce.number().int().min(1).max(9).default(6) });

const ApiUpload = () =>
  applyDecorators(
    ApiConsumes('application/octet-stream'),
    ApiBody({ schema: { type: 'string', format: 'binary' } }),
    HttpCode(200),
  );

@ApiTags('transfer')
@Controller('transfer')
export class TransferController {
  constructor(private readonly transfer: TransferService) {}

  @Post('redact')
  @ApiUpload()
  @ApiOperation({ summary: 'A log of any size without IP and mail addresses, while it is still being uploaded' })
  @Header('Content-Type', 'text/plain; charset=utf-8')
  redact(@RequestStream() upload: IncomingMessage): Readable {
    return this.transfer.redact(upload);
  }

  @Post('gzip')
  @ApiUpload()
  @ApiOperation({ summary: 'A file of any size, compressed while it is still being uploaded' })
  gzip(
    @RequestStream() upload: IncomingMessage,
    @Query({ schema: gzipSchema }) { level }: z.infer<typeof gzipSchema>,
  ): StreamableFile {
    return new StreamableFile(this.transfer.gzip(upload, level), { type: 'application/gzip' });
  }

  @Post('summary')
  @ApiUpload()
  @ApiOperation({ summary: 'Size, lines and SHA-256 of a file of any size' })
  summary(@RequestStream() upload: IncomingMessage): Promise<FileSummary> {
    return this.transfer.summarize(upload);
  }
}
