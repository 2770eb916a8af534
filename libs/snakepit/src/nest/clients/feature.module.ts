import { Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';

import { describeValue, SnakepitError } from '../../core/index.js';
import { clientOf, membersOf, type ClientClass } from './client.metadata.js';
import type { ResolvedClientOptions } from './client.options.js';
import type { PoolClients } from './pool-clients.js';

/** Nest quotes the token when it cannot resolve it, so the token says what to do. */
export const POOL_CLIENTS =
  'the pools (import SnakepitModule.forRoot in the root module; where it is not global, hand it to forFeature as the second argument)';

/** What `SnakepitModule.forFeature` makes: a module that provides clients. */
@Module({})
export class SnakepitFeatureModule {
  /** @throws SnakepitError MISUSE for what is no client */
  static of(clients: readonly ClientClass[], pools: DynamicModule | undefined): DynamicModule {
    if (!Array.isArray(clients)) throw misuse(`takes a list of classes, not ${describeValue(clients)}`);
    const providers = clients.map((client: ClientClass): FactoryProvider => {
      const options = optionsOf(client);
      return {
        provide: client,
        useFactory: (made: PoolClients) => made.make(client, options),
        inject: [POOL_CLIENTS],
      };
    });
    return {
      module: SnakepitFeatureModule,
      imports: pools === undefined ? [] : [pools],
      providers,
      exports: [...clients],
    };
  }
}

function optionsOf(client: unknown): ResolvedClientOptions {
  if (typeof client !== 'function') throw misuse(`takes classes, not ${describeValue(client)}`);
  const options = clientOf(client);
  if (options === undefined) throw misuse(`got ${client.name}, which is no client; put @PoolClient() on it`);
  if (membersOf(client as ClientClass).length > 0) return options;
  const example = `@PoolCommand() readonly predict!: Command<Args, Result>`;
  throw misuse(`got ${client.name}, which declares no command; declare some, not as abstract members: ${example}`);
}

function misuse(what: string): SnakepitError {
  return new SnakepitError('MISUSE', { reason: `SnakepitModule.forFeature ${what}.` });
}
