import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { SNAKEPIT_TRANSPORT } from 'nestjs-snakepit/microservices';

import { WeatherJournal } from './weather-journal.service.js';
import type { Extreme, Extremes } from './weather-extremes.client.js';

/** The years of which there are measurements. */
const FIRST_YEAR = 2012;
const LAST_YEAR = 2015;

/** What workers ask while they look at the weather, and what they tell. */
@Controller()
export class WeatherMessagesController {
  constructor(private readonly journal: WeatherJournal) {}

  /** What counts as extreme is the application's rule, not the workers'. */
  @MessagePattern('weather.limits', SNAKEPIT_TRANSPORT)
  limits(@Payload('year') year: number): Extremes['limits'] {
    if (year < FIRST_YEAR || year > LAST_YEAR) {
      const message = `There are no measurements of ${year}, only of ${FIRST_YEAR} to ${LAST_YEAR}.`;
      throw new RpcException({ status: 404, message });
    }
    return { hot: 33, cold: -5, wet: 40, windy: 9 };
  }

  @EventPattern('weather.extreme', SNAKEPIT_TRANSPORT)
  noteExtreme(@Payload() extreme: Extreme): void {
    this.journal.note(extreme);
  }
}
