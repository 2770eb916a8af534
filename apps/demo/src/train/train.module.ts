import { Module } from '@nestjs/common';

import { TrainController } from './train.controller.js';
import { TrainService } from './train.service.js';

@Module({ controllers: [TrainController], providers: [TrainService] })
export class TrainModule {}
