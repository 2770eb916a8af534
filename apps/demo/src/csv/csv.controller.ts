import {
  BadRequestException,
  Body,
  Controller,
  Get,
  HttpCode,
  Post,
  Query,
  Res,
  UploadedFile,
  UseInterceptors,
} from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';

import { ApiStream } from '../streaming/api-stream.js';
import { streamTo } from '../streaming/stream-to.js';
import {
  aggregateSchema,
  profileBodySchema,
  profileSchema,
  type AggregateRequest,
  type ProfileRequest,
} from './csv.schemas.js';
import { CsvService } from './csv.service.js';
import { ShippedFilesService } from './shipped-files.service.js';
import { UploadInterceptor } from './upload.interceptor.js';

@ApiTags('csv')
@Controller('csv')
export class CsvController {
  constructor(
    private readonly csv: CsvService,
    private readonly shipped: ShippedFilesService,
  ) {}

  @Get('files')
  @ApiOperation({ summary: 'Names of the shipped CSV files' })
  async files(): Promise<{ files: string[] }> {
    return { files: await this.shipped.names() };
  }

  @Post('profile')
  @HttpCode(200)
  @ApiOperation({ summary: 'Profile a CSV of any size: progress, then statistics of each column' })
  @ApiConsumes('multipart/form-data', 'application/json')
  @ApiStream('Items of kind `progress`, and last one of kind `result`.', {
    kind: 'progress',
    bytes: 1_048_576,
    total_bytes: 4_194_304,
    rows: 21_408,
  })
  @UseInterceptors(UploadInterceptor)
  async profile(
    @UploadedFile() upload: Express.Multer.File | undefined,
    @Query({ schema: profileSchema }) query: ProfileRequest,
    @Body({ schema: profileBodySchema }) body: ProfileRequest,
    @Res() response: Response,
  ): Promise<void> {
    const request = { ...query, ...body };
    const path = await this.#pathOf(upload, request.file);
    await streamTo(response, (signal) => this.csv.profile(path, request, signal));
  }

  @Post('aggregate')
  @HttpCode(200)
  @ApiOperation({ summary: 'Group a CSV by a column: one item a chunk, then the groups' })
  @ApiConsumes('application/json', 'multipart/form-data')
  @ApiStream('Items of kind `chunk`, and last one of kind `result`.', {
    kind: 'chunk',
    chunk: 0,
    rows: 3_376,
    groups: 57,
    leading: [{ key: 'AK', value: 263, count: 263 }],
  })
  @UseInterceptors(UploadInterceptor)
  async aggregate(
    @UploadedFile() upload: Express.Multer.File | undefined,
    @Body({ schema: aggregateSchema }) request: AggregateRequest,
    @Res() response: Response,
  ): Promise<void> {
    const path = await this.#pathOf(upload, request.file);
    await streamTo(response, (signal) => this.csv.aggregate(path, request, signal));
  }

  async #pathOf(upload: Express.Multer.File | undefined, shipped: string | undefined): Promise<string> {
    if (upload !== undefined) return upload.path;
    if (shipped !== undefined) return this.shipped.pathOf(shipped);
    throw new BadRequestException('Send a CSV as the multipart field `file`, or name a shipped one as `file`.');
  }
}
