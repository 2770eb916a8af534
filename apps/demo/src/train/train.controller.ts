import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';

import { ApiStream } from '../streaming/api-stream.js';
import { streamTo } from '../streaming/stream-to.js';
import { trainBodySchema, type TrainRequest } from './train.schemas.js';
import { TrainService } from './train.service.js';

@ApiTags('train')
@Controller('train')
export class TrainController {
  constructor(private readonly training: TrainService) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: 'Train the digit network on all workers at once' })
  @ApiStream('One item an epoch.', {
    kind: 'epoch',
    epoch: 1,
    epochs: 5,
    shards: 4,
    loss: 1.21,
    held_out_accuracy: 0.81,
    held_out_loss: 0.63,
    elapsed_ms: 310,
  })
  async train(@Body({ schema: trainBodySchema }) request: TrainRequest, @Res() response: Response): Promise<void> {
    await streamTo(response, (signal) => this.training.train(request, signal));
  }
}
