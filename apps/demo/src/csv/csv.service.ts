import { Injectable } from '@nestjs/common';
import { PoolService } from 'nestjs-snakepit';

import type { AggregateRequest, ProfileRequest } from './csv.schemas.js';

/** What the Python commands about CSV files take. */
@Injectable()
export class CsvService {
  constructor(private readonly pool: PoolService) {}

  profile(path: string, { delimiter, header, top }: ProfileRequest, signal: AbortSignal): AsyncIterable<unknown> {
    const args = { path, delimiter, header, top };
    return this.pool.iterate('csv_profile', withoutUndefined(args), { signal });
  }

  aggregate(path: string, request: AggregateRequest, signal: AbortSignal): AsyncIterable<unknown> {
    const { column, operation, valueColumn, limit } = request;
    const args = { path, column, operation, value_column: valueColumn, limit };
    return this.pool.iterate('process_large_dataset', withoutUndefined(args), { signal });
  }
}

/** Arguments that are left out take the command's own defaults. */
function withoutUndefined(args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
}
