import { Module } from '@nestjs/common';

import { BasicsController } from './basics.controller.js';
import { BasicsService } from './basics.service.js';

@Module({ controllers: [BasicsController], providers: [BasicsService] })
export class BasicsModule {}
