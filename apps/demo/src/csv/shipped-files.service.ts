import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, NotFoundException } from '@nestjs/common';

import { DATA_FOLDER } from '../paths.js';

/** The CSV files that come with the demo. */
@Injectable()
export class ShippedFilesService {
  async names(): Promise<string[]> {
    return (await readdir(DATA_FOLDER)).filter((name) => name.endsWith('.csv')).toSorted();
  }

  /** @throws NotFoundException that names the files there are. */
  async pathOf(name: string): Promise<string> {
    const names = await this.names();
    if (names.includes(name)) return join(DATA_FOLDER, name);
    throw new NotFoundException(`There is no shipped file '${name}'; there are ${names.join(', ')}.`);
  }
}
