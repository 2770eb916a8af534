import { join } from 'node:path';
import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { DATA_FOLDER } from '../paths.js';
import { WeatherExtremesClient, type Extremes } from './weather-extremes.client.js';
import { WeatherJournal } from './weather-journal.service.js';

const MEASUREMENTS = join(DATA_FOLDER, 'seattle-weather.csv');

const extremesSchema = z.object({ year: z.coerce.number().int().meta({ example: 2015 }) });
type ExtremesRequest = z.infer<typeof extremesSchema>;

@ApiTags('weather')
@Controller('weather')
export class WeatherController {
  constructor(
    private readonly weather: WeatherExtremesClient,
    private readonly journal: WeatherJournal,
  ) {}

  @Get('extremes')
  @ApiOperation({ summary: 'Extreme days of a year in Seattle; Python finds them, and asks Nest what is extreme' })
  extremes(@Query({ schema: extremesSchema }) { year }: ExtremesRequest): Promise<Extremes> {
    return this.weather.weatherExtremes({ path: MEASUREMENTS, year }, { idempotent: true, timeoutMs: 10_000 });
  }

  @Get('journal')
  @ApiOperation({ summary: 'How many extremes the workers have told of, by events' })
  heard(): WeatherJournal['heard'] {
    return this.journal.heard;
  }
}
