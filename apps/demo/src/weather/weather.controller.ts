import { join } from 'node:path';
import { Controller, Get, NotFoundException, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { DATA_FOLDER } from '../paths.js';
import { WeatherExtremesClient, type Extremes } from './weather-extremes.client.js';
import { WeatherJournal } from './weather-journal.service.js';
import { MEASURES, WeatherStatistics, type Distribution } from './weather-statistics.service.js';

const MEASUREMENTS = join(DATA_FOLDER, 'seattle-weather.csv');

const extremesSchema = z.object({ year: z.coerce.number().int().meta({ example: 2015 }) });
type ExtremesRequest = z.infer<typeof extremesSchema>;

const distributionSchema = extremesSchema.extend({ measure: z.enum(MEASURES).meta({ example: 'wind' }) });
type DistributionRequest = z.infer<typeof distributionSchema>;

@ApiTags('weather')
@Controller('weather')
export class WeatherController {
  constructor(
    private readonly weather: WeatherExtremesClient,
    private readonly journal: WeatherJournal,
    private readonly statistics: WeatherStatistics,
  ) {}

  @Get('extremes')
  @ApiOperation({ summary: 'Extreme days of a year in Seattle; Python finds them, and asks Nest what is extreme' })
  extremes(@Query({ schema: extremesSchema }) { year }: ExtremesRequest): Promise<Extremes> {
    return this.weather.weatherExtremes({ path: MEASUREMENTS, year }, { idempotent: true, timeoutMs: 10_000 });
  }

  @Get('distribution')
  @ApiOperation({ summary: "How a measure of a year's days is distributed; Python's own library tells" })
  async distribution(
    @Query({ schema: distributionSchema }) { year, measure }: DistributionRequest,
  ): Promise<Distribution> {
    const found = await this.statistics.distribution(measure, year);
    if (found === undefined) throw new NotFoundException(`there are no measurements of ${year}`);
    return found;
  }

  @Get('journal')
  @ApiOperation({ summary: 'How many extremes the workers have told of, by events' })
  heard(): WeatherJournal['heard'] {
    return this.journal.heard;
  }
}
