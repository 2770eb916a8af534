import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';

import { SnakepitHealthIndicator } from './snakepit.health-indicator.js';

/** Import it beside `TerminusModule` to inject {@link SnakepitHealthIndicator}. */
@Module({
  imports: [TerminusModule],
  providers: [SnakepitHealthIndicator],
  exports: [SnakepitHealthIndicator],
})
export class SnakepitHealthModule {}
