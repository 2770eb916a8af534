import { Injectable } from '@nestjs/common';
import { InjectPool, PoolService } from 'nestjs-snakepit';

import { NODE_POOL } from '../pools.js';
import type { ComputeRequest, RandomRequest } from './basics.schemas.js';
import type { Language } from './language.decorator.js';

/** The same commands, in Python and in Node. */
@Injectable()
export class BasicsService {
  readonly #pools: Readonly<Record<Language, PoolService>>;

  constructor(pythonPool: PoolService, @InjectPool(NODE_POOL) nodePool: PoolService) {
    this.#pools = { python: pythonPool, node: nodePool };
  }

  ping(language: Language): Promise<Record<string, unknown>> {
    return this.#pools[language].execute('ping');
  }

  echo(language: Language, value: unknown): Promise<unknown> {
    return this.#pools[language].execute('echo', { value });
  }

  async compute(language: Language, request: ComputeRequest): Promise<{ result: number }> {
    return { result: await this.#pools[language].execute<number>('compute', request) };
  }

  info(language: Language): Promise<Record<string, unknown>> {
    return this.#pools[language].execute('info');
  }

  async random(language: Language, { n, seed }: RandomRequest): Promise<{ numbers: number[] }> {
    return { numbers: await this.#pools[language].execute<number[]>('random', { n, seed: seed ?? null }) };
  }
}
