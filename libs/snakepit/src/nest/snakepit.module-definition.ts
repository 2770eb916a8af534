import { ConfigurableModuleBuilder, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';

import type { SnakepitOptions } from '../runtime/index.js';
import { SnakepitDisconnectInterceptor } from './http/disconnect.interceptor.js';
import { resolveHttpStatuses, type HttpStatuses } from './http/http-statuses.js';
import { SnakepitExceptionFilter } from './snakepit-exception.filter.js';
import { SNAKEPIT_HTTP_STATUSES, SNAKEPIT_OPTIONS } from './tokens.js';

/** What is said of the module itself, beside the pools. */
export interface SnakepitModuleExtras {
  /** Whether every module of the application can inject pools without importing this one; default true. */
  isGlobal: boolean;
  /** Whether failed calls are answered by {@link SnakepitExceptionFilter} in all controllers; default true. */
  httpErrors: boolean;
  /**
   * What {@link SnakepitExceptionFilter} answers to exceptions of commands, by their type: `{ ValueError: 422, NotFound: 404 }`, statuses from 400 to
   * 599. A status below 500 also makes the exception's message that of the answer. Default none: 500.
   */
  httpStatuses: HttpStatuses;
  /** Whether calls made while a request is handled are cancelled when its client leaves, see {@link SnakepitDisconnectInterceptor}; default true. */
  cancelOnDisconnect: boolean;
}

export const MODULE_DEFAULTS: Readonly<SnakepitModuleExtras> = Object.freeze({
  isGlobal: true,
  httpErrors: true,
  httpStatuses: Object.freeze({}),
  cancelOnDisconnect: true,
});

export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<SnakepitOptions>({ optionsInjectionToken: SNAKEPIT_OPTIONS })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createSnakepitOptions')
    .setExtras<SnakepitModuleExtras>({ ...MODULE_DEFAULTS }, applyExtras)
    .build();

export type SnakepitModuleOptions = typeof OPTIONS_TYPE;

/** What a class given as `useClass` or `useExisting` implements. */
export interface SnakepitOptionsFactory {
  createSnakepitOptions(): SnakepitOptions | Promise<SnakepitOptions>;
}

export type SnakepitModuleAsyncOptions = typeof ASYNC_OPTIONS_TYPE & {
  /**
   * The pools that `@InjectPool(name)` names, since the options' own names are known only when the factory has run.
   * A name without a pool fails the start. The default pool needs no entry: it is injected as `PoolService`.
   */
  readonly poolNames?: readonly string[];
};

function applyExtras(definition: DynamicModule, extras: SnakepitModuleExtras): DynamicModule {
  const filter = { provide: APP_FILTER, useExisting: SnakepitExceptionFilter };
  const interceptor = { provide: APP_INTERCEPTOR, useExisting: SnakepitDisconnectInterceptor };
  const statuses = {
    provide: SNAKEPIT_HTTP_STATUSES,
    useFactory: () => resolveHttpStatuses(extras.httpStatuses),
  };
  const providers = [
    ...(definition.providers ?? []),
    statuses,
    ...(extras.httpErrors ? [filter] : []),
    ...(extras.cancelOnDisconnect ? [interceptor] : []),
  ];
  const exported = [...(definition.exports ?? []), SNAKEPIT_HTTP_STATUSES];
  return { ...definition, providers, exports: exported, global: extras.isGlobal };
}
