import { Injectable } from '@nestjs/common';
import { commandArgs, SnakepitCommand } from 'nestjs-snakepit';

export interface Pseudonyms {
  readonly tenant: string;
  readonly correlation_id: string;
  readonly pseudonyms: readonly string[];
}

/** Says nothing of tenants: the worker gets that of the request by itself. */
@Injectable()
export class PseudonymsService {
  @SnakepitCommand('pseudonymize', { idempotent: true })
  pseudonymize(values: readonly string[]): Promise<Pseudonyms> {
    return commandArgs({ values });
  }
}
