import { Module } from '@nestjs/common';
import { MulterModule } from '@nestjs/platform-express';

import { CsvController } from './csv.controller.js';
import { CsvService } from './csv.service.js';
import { ShippedFilesService } from './shipped-files.service.js';
import { UploadsModule } from './uploads.module.js';
import { UploadsService } from './uploads.service.js';

@Module({
  imports: [
    MulterModule.registerAsync({
      imports: [UploadsModule],
      inject: [UploadsService],
      useFactory: (uploads: UploadsService) => ({ storage: uploads.storage, limits: { files: 1, fields: 20 } }),
    }),
  ],
  controllers: [CsvController],
  providers: [CsvService, ShippedFilesService],
})
export class CsvModule {}
