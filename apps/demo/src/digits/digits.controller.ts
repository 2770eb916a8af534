import { Body, Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';

import { ApiStream } from '../streaming/api-stream.js';
import { streamTo } from '../streaming/stream-to.js';
import { classifySchema, sampleSchema, type ClassifyRequest, type SampleRequest } from './digits.schemas.js';
import { DigitsService, type DigitSample } from './digits.service.js';

@ApiTags('digits')
@Controller('digits')
export class DigitsController {
  constructor(private readonly digits: DigitsService) {}

  @Post('classify')
  @HttpCode(200)
  @ApiOperation({ summary: 'Recognise handwritten digits, one item an image' })
  @ApiStream('One item for each image, in order.', {
    index: 0,
    digit: 0,
    confidence: 0.998,
    probabilities: [0.998, 0, 0, 0, 0.001, 0, 0, 0, 0, 0.001],
  })
  async classify(
    @Body({ schema: classifySchema }) { images }: ClassifyRequest,
    @Res() response: Response,
  ): Promise<void> {
    await streamTo(response, () => this.digits.classify(images));
  }

  @Get('sample')
  @ApiOperation({ summary: 'Images that the network was not trained on, with what they show' })
  sample(@Query({ schema: sampleSchema }) request: SampleRequest): Promise<DigitSample> {
    return this.digits.sample(request);
  }

  @Get('info')
  @ApiOperation({ summary: 'Facts of the network; its held-out accuracy is measured in the worker' })
  info(): Promise<Record<string, unknown>> {
    return this.digits.info();
  }
}
