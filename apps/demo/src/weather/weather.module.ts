import { Module } from '@nestjs/common';
import { SnakepitModule } from 'nestjs-snakepit';

import { WeatherJournal } from './weather-journal.service.js';
import { WeatherMessagesController } from './weather-messages.controller.js';
import { WeatherClient } from './weather.client.js';
import { WeatherController } from './weather.controller.js';
import { WeatherStatistics } from './weather-statistics.service.js';

@Module({
  imports: [SnakepitModule.forFeature([WeatherClient])],
  controllers: [WeatherController, WeatherMessagesController],
  providers: [WeatherJournal, WeatherStatistics],
})
export class WeatherModule {}
