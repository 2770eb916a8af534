import { Module } from '@nestjs/common';

import { AirportDirectory } from './airport-directory.service.js';
import { AirportsController } from './airports.controller.js';
import { RoutesService } from './routes.service.js';

@Module({ controllers: [AirportsController], providers: [AirportDirectory, RoutesService] })
export class AirportsModule {}
