import { Module } from '@nestjs/common';
import { SnakepitModule } from 'nestjs-snakepit';

import { WeatherJournal } from './weather-journal.service.js';
import { WeatherExtremesClient } from './weather-extremes.client.js';
import { WeatherMessagesController } from './weather-messages.controller.js';
import { WeatherController } from './weather.controller.js';
import { WeatherStatistics } from './weather-statistics.service.js';

@Module({
  imports: [SnakepitModule.forFeature([WeatherExtremesClient])],
  controllers: [WeatherController, WeatherMessagesController],
  providers: [WeatherJournal, WeatherStatistics],
})
export class WeatherModule {}
