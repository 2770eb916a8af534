import { realpath, stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { BadRequestException, ForbiddenException, Injectable, NotFoundException } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';

import type { Settings } from '../settings.js';

/** The one folder whose files may be read. */
@Injectable()
export class LogFolderService {
  readonly #folder: string;

  constructor(config: ConfigService<Settings, true>) {
    this.#folder = config.get('DEMO_LOGS', { infer: true });
  }

  /**
   * The real path of a file in the folder.
   *
   * @throws ForbiddenException when the path, or what a symbolic link in it means, lies outside; NotFoundException;
   * BadRequestException when it is no file.
   */
  async pathOf(name: string): Promise<string> {
    if (name.includes('\0')) throw new BadRequestException('A path has no NUL characters.');
    const folder = await this.#real(this.#folder, 'the folder of the logs');
    const wanted = resolve(folder, name);
    // Before the file system is asked: whether a file outside exists is nobody's business.
    this.#requireInside(folder, wanted, name);
    const real = await this.#real(wanted, `'${name}'`);
    this.#requireInside(folder, real, name);
    if ((await stat(real)).isFile()) return real;
    throw new BadRequestException(`'${name}' is no file.`);
  }

  #requireInside(folder: string, path: string, name: string): void {
    if (path.startsWith(folder + sep) || path === folder) return;
    throw new ForbiddenException(`'${name}' is outside the folder of the logs.`);
  }

  async #real(path: string, what: string): Promise<string> {
    try {
      return await realpath(path);
    } catch (cause) {
      throw new NotFoundException(`There is no file ${what}.`, { cause });
    }
  }
}
