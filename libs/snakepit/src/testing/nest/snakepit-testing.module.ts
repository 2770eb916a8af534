import { Global, Module, type DynamicModule } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';

import { isPlainObject, SnakepitError } from '../../core/index.js';
import type { Adapter, Clock } from '../../runtime/index.js';
import { SNAKEPIT_SURROUNDINGS, type SnakepitSurroundings } from '../../nest/tokens.js';
import { fake } from '../fake/fake-adapter.js';
import type { FakeOptions } from '../fake/fake-options.js';
import { withFaults, type FaultyAdapter } from '../faults/with-faults.js';
import { replacedOptions } from './replaced-options.js';
import { SnakepitTesting } from './snakepit-testing.js';

/** By pool: the options of a fake, or any adapter, such as `replay({ … })`. A pool without a name is `default`. */
export type TestingPools = Readonly<Record<string, FakeOptions | Adapter>>;

export interface SnakepitTestingSettings {
  /** What pools and sessions take for time. With a `ManualClock`, `SnakepitTesting.advance()` lets it pass. */
  readonly clock?: Clock;
  /** What becomes of pools that are not named: the start is refused (default), or they have their real workers. */
  readonly others?: 'refuse' | 'real';
}

/**
 * Imported beside the application's own module, it gives the application's pools other workers; all else of their options stays.
 *
 * @example
 * const app = await Test.createTestingModule({
 *   imports: [AppModule, SnakepitTestingModule.forRoot({ default: { commands: { add: ({ a, b }) => a + b } } })],
 * }).compile();
 * app.get(SnakepitTesting).faults().crashNext('add');
 */
@Global()
@Module({})
export class SnakepitTestingModule {
  /** @throws SnakepitError INVALID_OPTIONS */
  static forRoot(pools: TestingPools, settings: SnakepitTestingSettings = {}): DynamicModule {
    const { clock, others = 'refuse' } = settings;
    const adapters = new Map(Object.entries(pools).map(([name, given]) => [name, faultyAdapter(name, given)]));
    const surroundings: SnakepitSurroundings = {
      ...(clock && { clock }),
      options: (options) => replacedOptions(options, adapters, others),
    };
    return {
      module: SnakepitTestingModule,
      providers: [
        { provide: SNAKEPIT_SURROUNDINGS, useValue: surroundings },
        {
          provide: SnakepitTesting,
          useFactory: (moduleRef: ModuleRef) => new SnakepitTesting(moduleRef, adapters, clock),
          inject: [ModuleRef],
        },
      ],
      exports: [SNAKEPIT_SURROUNDINGS, SnakepitTesting],
    };
  }
}

function faultyAdapter(pool: string, given: FakeOptions | Adapter): FaultyAdapter {
  if ('faults' in given && 'prepare' in given) return given as FaultyAdapter;
  if ('prepare' in given) return withFaults(given);
  if (isPlainObject(given) && 'commands' in given) return fake(given);
  const reason = `SnakepitTestingModule.forRoot: '${pool}' is neither an adapter nor { commands: { … } }.`;
  throw new SnakepitError('INVALID_OPTIONS', { reason, option: pool });
}
