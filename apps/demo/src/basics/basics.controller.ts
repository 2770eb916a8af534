import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';

import { computeSchema, echoSchema, randomSchema, type ComputeRequest, type RandomRequest } from './basics.schemas.js';
import { BasicsService } from './basics.service.js';
import { LANGUAGES, RouteLanguage, type Language } from './language.decorator.js';

@ApiTags('basics')
@Controller([...LANGUAGES])
export class BasicsController {
  constructor(private readonly basics: BasicsService) {}

  @Get('ping')
  @ApiOperation({ summary: 'Is a worker there?' })
  ping(@RouteLanguage() language: Language): Promise<Record<string, unknown>> {
    return this.basics.ping(language);
  }

  @Post('echo')
  @HttpCode(200)
  @ApiOperation({ summary: 'Any JSON, to the worker and back' })
  echo(@RouteLanguage() language: Language, @Body({ schema: echoSchema }) value: unknown): Promise<unknown> {
    return this.basics.echo(language, value);
  }

  @Post('compute')
  @HttpCode(200)
  @ApiOperation({ summary: 'Arithmetic' })
  compute(
    @RouteLanguage() language: Language,
    @Body({ schema: computeSchema }) request: ComputeRequest,
  ): Promise<{ result: number }> {
    return this.basics.compute(language, request);
  }

  @Get('info')
  @ApiOperation({ summary: 'The process that answers' })
  info(@RouteLanguage() language: Language): Promise<Record<string, unknown>> {
    return this.basics.info(language);
  }

  @Get('random')
  @ApiOperation({ summary: 'Random numbers from [0, 1)' })
  random(
    @RouteLanguage() language: Language,
    @Query({ schema: randomSchema }) request: RandomRequest,
  ): Promise<{ numbers: number[] }> {
    return this.basics.random(language, request);
  }
}
