import { Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';

import {
  DEFAULT_POOL,
  PoolService,
  PythonService,
  SessionService,
  Snakepit,
  type Adapter,
  type SnakepitOptions,
} from '../runtime/index.js';
import type { ClientClass } from './clients/client.metadata.js';
import { POOL_CLIENTS, SnakepitFeatureModule } from './clients/feature.module.js';
import { PoolClients } from './clients/pool-clients.js';
import { CommandExplorer } from './commands/command.explorer.js';
import { CommandRunner } from './commands/command.runner.js';
import { ConsumerExplorer } from './consumers.js';
import { SnakepitDisconnectInterceptor } from './http/disconnect.interceptor.js';
import { UnreadBodies } from './http/unread-bodies.js';
import {
  assertPoolOptions,
  ownOptionsIn,
  resolveAsyncModuleOptions,
  resolveModuleOptions,
  type SnakepitModuleExtras,
} from './module.options.js';
import { writeToNestLog } from './nest-log.js';
import { SnakepitExceptionFilter } from './snakepit-exception.filter.js';
import { SnakepitLifecycle } from './snakepit.lifecycle.js';
import {
  ConfigurableModuleClass,
  tryOptions,
  withModuleOptions,
  type GivenOptions,
  type SnakepitModuleAsyncOptions,
  type SnakepitModuleOptions,
} from './snakepit.module-definition.js';
import {
  getPoolToken,
  getPythonToken,
  SNAKEPIT_GIVEN_OPTIONS,
  SNAKEPIT_OPTIONS,
  SNAKEPIT_SURROUNDINGS,
  type SnakepitSurroundings,
} from './tokens.js';
import { ToolCaller } from './tools/tool.caller.js';
import { ToolExplorer } from './tools/tool.explorer.js';

/**
 * Pools of supervised external processes for the whole application.
 *
 * @example
 * SnakepitModule.forRoot(python({ module: './workers/report.py' }))
 * SnakepitModule.forRoot({ adapter: python({ module: './workers/report.py' }), size: 4 })
 * SnakepitModule.forRoot({ pools: { ml: { adapter: python({ module: './workers/ml.py' }) } } })
 */
@Module({
  imports: [DiscoveryModule],
  providers: [
    {
      provide: Snakepit,
      useFactory: makeSnakepit,
      inject: [SNAKEPIT_OPTIONS, SNAKEPIT_GIVEN_OPTIONS, { token: SNAKEPIT_SURROUNDINGS, optional: true }],
    },
    { provide: PoolService, useFactory: (snakepit: Snakepit) => snakepit.pool(), inject: [Snakepit] },
    { provide: PythonService, useFactory: (snakepit: Snakepit) => snakepit.python(), inject: [Snakepit] },
    { provide: SessionService, useFactory: (snakepit: Snakepit) => snakepit.sessions, inject: [Snakepit] },
    PoolClients,
    { provide: POOL_CLIENTS, useExisting: PoolClients },
    CommandExplorer,
    CommandRunner,
    ToolCaller,
    ToolExplorer,
    ConsumerExplorer,
    UnreadBodies,
    SnakepitDisconnectInterceptor,
    SnakepitExceptionFilter,
    SnakepitLifecycle,
  ],
  exports: [
    Snakepit,
    PoolService,
    PythonService,
    SessionService,
    CommandRunner,
    SnakepitDisconnectInterceptor,
    SnakepitExceptionFilter,
    POOL_CLIENTS,
  ],
})
export class SnakepitModule extends ConfigurableModuleClass {
  /** Pools whose options are known where the module is declared. */
  static override forRoot(options: SnakepitModuleOptions): DynamicModule {
    // The builder copies own members only; an adapter may be an instance of a class.
    const whole = 'prepare' in options ? withAdapter(options) : options;
    const module = tryOptions(() => resolveModuleOptions({ ...whole }));
    return withPools(withModuleOptions(super.forRoot(whole), module), poolNamesIn(whole));
  }

  /** Pools whose options come from other providers, such as a configuration service. */
  static override forRootAsync(options: SnakepitModuleAsyncOptions): DynamicModule {
    const module = tryOptions(() => resolveAsyncModuleOptions({ ...options }));
    return withPools(withModuleOptions(super.forRootAsync(options), module), module.options.poolNames);
  }

  /**
   * Provides classes that `@PoolClient` stands on, whose members are commands.
   *
   * @param pools what `forRoot` has returned, where that is not global
   * @throws SnakepitError MISUSE for a class that is no client
   */
  static forFeature(clients: readonly ClientClass[], pools?: DynamicModule): DynamicModule {
    return SnakepitFeatureModule.of(clients, pools);
  }
}

function makeSnakepit(
  made: SnakepitOptions,
  module: GivenOptions,
  { options, ...context }: SnakepitSurroundings = {},
): Snakepit {
  module.check();
  assertPoolOptions(made);
  return new Snakepit(options?.(made) ?? made, { log: writeToNestLog, ...context });
}

function withAdapter(adapter: Adapter & SnakepitModuleExtras): SnakepitModuleOptions {
  return { adapter, ...ownOptionsIn({ ...adapter }) };
}

function poolNamesIn(options: SnakepitModuleOptions): readonly string[] {
  return 'pools' in options ? Object.keys(options.pools ?? {}) : [DEFAULT_POOL];
}

function withPools(definition: DynamicModule, names: readonly string[]): DynamicModule {
  const pools = names.flatMap((name): FactoryProvider<PoolService | PythonService>[] => [
    { provide: getPoolToken(name), useFactory: (snakepit: Snakepit) => snakepit.pool(name), inject: [Snakepit] },
    { provide: getPythonToken(name), useFactory: (snakepit: Snakepit) => snakepit.python(name), inject: [Snakepit] },
  ]);
  return {
    ...definition,
    providers: [...(definition.providers ?? []), ...pools],
    exports: [...(definition.exports ?? []), ...pools.map(({ provide }) => provide)],
  };
}
