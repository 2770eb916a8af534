import { Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';

import { PseudonymsController } from './pseudonyms.controller.js';
import { PseudonymsService } from './pseudonyms.service.js';
import { keepRequestContext } from './request-context.js';

@Module({ controllers: [PseudonymsController], providers: [PseudonymsService] })
export class PseudonymsModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(keepRequestContext).forRoutes(PseudonymsController);
  }
}
