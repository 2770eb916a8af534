import { Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { APP_PIPE } from '@nestjs/core';
import { SnakepitModule } from 'nestjs-snakepit';

import { AirportsModule } from './airports/airports.module.js';
import { BasicsModule } from './basics/basics.module.js';
import { CsvModule } from './csv/csv.module.js';
import { DigitsModule } from './digits/digits.module.js';
import { HTTP_STATUSES } from './errors/http-statuses.js';
import { HealthModule } from './health/health.module.js';
import { HomeController } from './home.controller.js';
import { LogsModule } from './logs/logs.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { LIBRARIES_POOL, LOGS_POOL, NODE_POOL, poolOptions } from './pools.js';
import { RecognizeModule } from './recognize/recognize.module.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { PseudonymsModule } from './pseudonyms/pseudonyms.module.js';
import { readSettings, type Settings } from './settings.js';
import { TrainModule } from './train/train.module.js';
import { TransferModule } from './transfer/transfer.module.js';
import { WeatherModule } from './weather/weather.module.js';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, validate: readSettings }),
    SnakepitModule.forRootAsync({
      httpStatuses: HTTP_STATUSES,
      poolNames: [LIBRARIES_POOL, LOGS_POOL, NODE_POOL],
      inject: [ConfigService],
      useFactory: (config: ConfigService<Settings, true>) =>
        poolOptions({
          DEMO_WORKERS: config.get('DEMO_WORKERS', { infer: true }),
          SNAKEPIT_TRANSPORT: config.get('SNAKEPIT_TRANSPORT', { infer: true }),
        }),
    }),
    AirportsModule,
    BasicsModule,
    CsvModule,
    DigitsModule,
    HealthModule,
    LogsModule,
    MetricsModule,
    PseudonymsModule,
    RecognizeModule,
    SessionsModule,
    TrainModule,
    TransferModule,
    WeatherModule,
  ],
  controllers: [HomeController],
  providers: [{ provide: APP_PIPE, useClass: StandardSchemaValidationPipe }],
})
export class AppModule {}
