import { Controller, Get, Query, Res, Sse, type MessageEvent } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { withHeartbeat } from 'nestjs-snakepit';
import { map, type Observable } from 'rxjs';
import { z } from 'zod';

import { ApiStream } from '../streaming/api-stream.js';
import { streamTo } from '../streaming/stream-to.js';
import { LogFolderService } from './log-folder.service.js';
import { LogsService } from './logs.service.js';

const tailSchema = z.object({
  path: z.string().min(1).describe('Inside the folder of the logs').meta({ example: 'access.log' }),
  fromStart: z.stringbool().default(true).describe('Whether the lines that are there already are sent'),
  follow: z.stringbool().default(true).describe('Whether to wait for further lines'),
});
type TailRequest = z.infer<typeof tailSchema>;

const eventsSchema = tailSchema.extend({
  heartbeatMs: z.coerce
    .number()
    .int()
    .min(100)
    .max(60_000)
    .default(15_000)
    .describe('For how long the connection may be silent; less than what proxies in between allow'),
});
type EventsRequest = z.infer<typeof eventsSchema>;

@ApiTags('logs')
@Controller('logs')
export class LogsController {
  constructor(
    private readonly logs: LogsService,
    private readonly folder: LogFolderService,
  ) {}

  @Get('tail')
  @ApiOperation({ summary: 'Follow a growing log file and classify its lines, until the client leaves' })
  @ApiStream('Items of kind `line`, and every second with news one of kind `summary`.', {
    kind: 'line',
    line_number: 1,
    level: 'warning',
    category: 'http',
    message: 'GET /airports/000 HTTP/1.1',
  })
  async tail(@Query({ schema: tailSchema }) request: TailRequest, @Res() response: Response): Promise<void> {
    const path = await this.folder.pathOf(request.path);
    await streamTo(response, (signal) => this.logs.tail(path, request, signal));
  }

  @Sse('events')
  @ApiOperation({
    summary: 'The same for an EventSource: plain @Sse(), with a comment whenever the file has been silent',
  })
  async events(@Query({ schema: eventsSchema }) request: EventsRequest): Promise<Observable<MessageEvent>> {
    const path = await this.folder.pathOf(request.path);
    return this.logs.events(path, request).pipe(
      map((item) => ({ data: item as object })),
      withHeartbeat(request.heartbeatMs),
    );
  }
}
