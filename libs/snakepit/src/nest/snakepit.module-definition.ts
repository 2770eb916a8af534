import { ConfigurableModuleBuilder, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';

import { resolveOptions } from '../core/index.js';
import { Snakepit, type SnakepitOptions } from '../runtime/index.js';
import { AnswerRules } from './http/answer-rules.js';
import { SnakepitDisconnectInterceptor } from './http/disconnect.interceptor.js';
import { SseFailureInterceptor } from './http/sse-failure.interceptor.js';
import {
  moduleOptionTable,
  type AsyncModuleExtras,
  type ResolvedModuleOptions,
  type SnakepitModuleExtras,
} from './module.options.js';
import { SnakepitExceptionFilter } from './snakepit-exception.filter.js';
import { SNAKEPIT_GIVEN_OPTIONS, SNAKEPIT_OPTIONS } from './tokens.js';

const DEFAULTS = resolveOptions(moduleOptionTable, {});

/** The builder keeps what has these names from the options of the pools. */
const NAMES = Object.fromEntries(Object.keys(moduleOptionTable).map((name) => [name, undefined]));

export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<SnakepitOptions>({ optionsInjectionToken: SNAKEPIT_OPTIONS })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createSnakepitOptions')
    .setExtras<SnakepitModuleExtras>(NAMES)
    .build();

export type SnakepitModuleOptions = typeof OPTIONS_TYPE;

/** What a class given as `useClass` or `useExisting` implements. */
export interface SnakepitOptionsFactory {
  createSnakepitOptions(): SnakepitOptions | Promise<SnakepitOptions>;
}

export type SnakepitModuleAsyncOptions = typeof ASYNC_OPTIONS_TYPE & AsyncModuleExtras;

/** What the module was given of its own options. */
export interface GivenOptions {
  /** Those that count; of bad ones, none. */
  readonly options: ResolvedModuleOptions;
  /** @throws SnakepitError INVALID_OPTIONS of bad ones */
  readonly check: () => void;
}

/** Bad options are refused when the application starts, as those of pools are, and not where the module is declared. */
export function tryOptions(resolve: () => ResolvedModuleOptions): GivenOptions {
  try {
    return { options: resolve(), check: () => undefined };
  } catch (error) {
    const check = (): never => {
      throw error;
    };
    return { options: DEFAULTS, check };
  }
}

export function withModuleOptions(definition: DynamicModule, module: GivenOptions): DynamicModule {
  const { isGlobal, httpErrors, httpStatuses, cancelOnDisconnect } = module.options;
  const exposeMessages = httpErrors !== false && httpErrors.exposeMessages;
  const rulesOf = ({ instance }: Snakepit) => new AnswerRules(instance, { httpStatuses, exposeMessages });
  const providers = [
    ...(definition.providers ?? []),
    { provide: SNAKEPIT_GIVEN_OPTIONS, useValue: module },
    { provide: AnswerRules, useFactory: rulesOf, inject: [Snakepit] },
    ...(httpErrors === false ? [] : HTTP_ERRORS),
    ...(cancelOnDisconnect ? [{ provide: APP_INTERCEPTOR, useExisting: SnakepitDisconnectInterceptor }] : []),
  ];
  return { ...definition, providers, global: isGlobal };
}

const HTTP_ERRORS: readonly Provider[] = [
  { provide: APP_FILTER, useExisting: SnakepitExceptionFilter },
  { provide: APP_INTERCEPTOR, useClass: SseFailureInterceptor },
];
