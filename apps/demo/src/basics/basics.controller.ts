import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';

import {
  computeSchema,
  echoSchema,
  languageSchema,
  randomSchema,
  type ComputeRequest,
  type Language,
  type RandomRequest,
} from './basics.schemas.js';
import { BasicsService } from './basics.service.js';

@ApiTags('basics')
@Controller(':language(python|node)')
export class BasicsController {
  constructor(private readonly basics: BasicsService) {}

  @Get('ping')
  @ApiOperation({ summary: 'Is a worker there?' })
  ping(@Param('language', { schema: languageSchema }) language: Language): Promise<Record<string, unknown>> {
    return this.basics.ping(language);
  }

  @Post('echo')
  @HttpCode(200)
  @ApiOperation({ summary: 'Any JSON, to the worker and back' })
  echo(
    @Param('language', { schema: languageSchema }) language: Language,
    @Body({ schema: echoSchema }) value: unknown,
  ): Promise<unknown> {
    return this.basics.echo(language, value);
  }

  @Post('compute')
  @HttpCode(200)
  @ApiOperation({ summary: 'Arithmetic' })
  compute(
    @Param('language', { schema: languageSchema }) language: Language,
    @Body({ schema: computeSchema }) request: ComputeRequest,
  ): Promise<{ result: number }> {
    return this.basics.compute(language, request);
  }

  @Get('info')
  @ApiOperation({ summary: 'The process that answers' })
  info(@Param('language', { schema: languageSchema }) language: Language): Promise<Record<string, unknown>> {
    return this.basics.info(language);
  }

  @Get('random')
  @ApiOperation({ summary: 'Random numbers from [0, 1)' })
  random(
    @Param('language', { schema: languageSchema }) language: Language,
    @Query({ schema: randomSchema }) request: RandomRequest,
  ): Promise<{ numbers: number[] }> {
    return this.basics.random(language, request);
  }
}
