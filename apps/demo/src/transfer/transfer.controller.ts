import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { applyDecorators, Controller, Header, HttpCode, Post, Query, StreamableFile } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import { RequestStream } from 'nestjs-snakepit';
import { z } from 'zod';

import { TransferService, type FileSummary } from './transfer.service.js';

const filterSchema = z.object({ text: z.string().min(1).meta({ example: ' 500 ' }) });
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

  @Post('filter')
  @ApiUpload()
  @ApiOperation({ summary: 'The lines of a file of any size that hold a text, while it is still being uploaded' })
  @Header('Content-Type', 'text/plain; charset=utf-8')
  filter(
    @RequestStream() upload: IncomingMessage,
    @Query({ schema: filterSchema }) { text }: z.infer<typeof filterSchema>,
  ): Readable {
    return this.transfer.filter(upload, text);
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
