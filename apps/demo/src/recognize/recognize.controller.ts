import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { image, ZERO } from '../digits/digits.schemas.js';
import { RecognizeService, type RecognizedDigit } from './recognize.service.js';

const recognizeSchema = z.object({ image: image.meta({ example: ZERO }) });
type RecognizeRequest = z.infer<typeof recognizeSchema>;

@ApiTags('digits')
@Controller('digits')
export class RecognizeController {
  constructor(private readonly recognizer: RecognizeService) {}

  @Post('recognize')
  @HttpCode(200)
  @ApiOperation({ summary: 'Recognise one handwritten digit; requests that come together are batched' })
  recognize(@Body({ schema: recognizeSchema }) { image: pixels }: RecognizeRequest): Promise<RecognizedDigit> {
    return this.recognizer.recognize(pixels);
  }
}
