import { Module } from '@nestjs/common';

import { DigitsController } from './digits.controller.js';
import { DigitsService } from './digits.service.js';

@Module({ controllers: [DigitsController], providers: [DigitsService] })
export class DigitsModule {}
