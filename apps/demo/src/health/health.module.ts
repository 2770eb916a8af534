import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { SnakepitHealthModule } from 'nestjs-snakepit/health';

import { HealthController } from './health.controller.js';
import { StatsController } from './stats.controller.js';

@Module({ imports: [TerminusModule, SnakepitHealthModule], controllers: [HealthController, StatsController] })
export class HealthModule {}
