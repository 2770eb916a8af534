import { Module } from '@nestjs/common';

import { LogFolderService } from './log-folder.service.js';
import { LogsController } from './logs.controller.js';
import { LogsService } from './logs.service.js';

@Module({ controllers: [LogsController], providers: [LogFolderService, LogsService] })
export class LogsModule {}
