import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { InjectPython, PythonService, ref } from 'nestjs-snakepit';

import { DATA_FOLDER } from '../paths.js';
import { LIBRARIES_POOL } from '../pools.js';

export const MEASURES = ['precipitation', 'temp_max', 'temp_min', 'wind'] as const;
export type Measure = (typeof MEASURES)[number];

export interface Distribution {
  readonly days: number;
  readonly mean: number;
  readonly deviation: number;
  /** What 10, 20, … 90 of a hundred days stay below. */
  readonly deciles: readonly number[];
}

/** Describes measurements by Python's module `statistics`, which needs no worker of ours. */
@Injectable()
export class WeatherStatistics {
  constructor(@InjectPython(LIBRARIES_POOL) private readonly libraries: PythonService) {}

  async distribution(measure: Measure, year: number): Promise<Distribution | undefined> {
    const values = await valuesOf(measure, year);
    if (values.length < 2) return undefined;
    const session = await this.libraries.createSession({ ttlMs: 60_000 });
    try {
      // The values go over once, and stay in the worker for all three.
      await session.store('days', values);
      const days = ref('days');
      const [mean, deviation, deciles] = await Promise.all([
        session.call<number>('statistics.fmean', [days]),
        session.call<number>('statistics.stdev', [days]),
        session.call<readonly number[]>('statistics.quantiles', [days], { n: 10 }),
      ]);
      return { days: values.length, mean, deviation, deciles };
    } finally {
      await session.close();
    }
  }
}

async function valuesOf(measure: Measure, year: number): Promise<number[]> {
  const [head = '', ...lines] = (await readFile(join(DATA_FOLDER, 'seattle-weather.csv'), 'utf8')).trim().split('\n');
  const column = head.split(',').indexOf(measure);
  return lines.filter((line) => line.startsWith(`${year}-`)).map((line) => Number(line.split(',')[column]));
}
