import { Module } from '@nestjs/common';

import { CsvController } from './csv.controller.js';
import { CsvService } from './csv.service.js';
import { ShippedFilesService } from './shipped-files.service.js';
import { UploadsService } from './uploads.service.js';

@Module({
  controllers: [CsvController],
  providers: [CsvService, ShippedFilesService, UploadsService],
})
export class CsvModule {}
