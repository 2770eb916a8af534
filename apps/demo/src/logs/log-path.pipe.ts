import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';

import { LogFolderService } from './log-folder.service.js';

/**
 * The file that a path of a request means. A pipe, because what a pipe refuses gets its status; what an `@Sse()` handler throws is an event in a
 * response that has begun with 200.
 */
@Injectable()
export class LogPathPipe implements PipeTransform<unknown, Promise<string>> {
  constructor(private readonly folder: LogFolderService) {}

  async transform(path: unknown): Promise<string> {
    if (typeof path !== 'string' || path === '') throw new BadRequestException('path is missing');
    return this.folder.pathOf(path);
  }
}
