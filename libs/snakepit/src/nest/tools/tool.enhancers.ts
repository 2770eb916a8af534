import 'reflect-metadata';

import type { ApplicationConfig, ExternalContextCreator } from '@nestjs/core';

import { SnakepitDisconnectInterceptor } from '../http/disconnect.interceptor.js';
import { SseFailureInterceptor } from '../http/sse-failure.interceptor.js';

/** Nest's keys for what `@UseInterceptors` and `@UsePipes` say. */
const INTERCEPTORS = '__interceptors__';
const PIPES = '__pipes__';

/** Which kinds of what Nest puts around a method there are for it. */
export interface Enhancers {
  /** Besides those that this module applies to HTTP routes and that let everything else pass. */
  readonly interceptors: boolean;
  /** On the application, the class or the method; those of single parameters do not count. */
  readonly pipes: boolean;
}

/**
 * What applies to a method, so that Nest need not set up, for every call, its chain of Observables and its walk through the parameters where
 * nothing is in them: that takes longer than all the rest of calling a tool.
 *
 * Nest tells nobody what applies; where its own fields are not what they are in this version, the answer is that there may be anything.
 */
export function enhancersOf(contexts: ExternalContextCreator, instance: object, callback: object): Enhancers {
  const container = contexts['container'] as { readonly applicationConfig?: Partial<ApplicationConfig> } | undefined;
  const config = container?.applicationConfig;
  const isMarked = (key: string): boolean =>
    [callback, instance.constructor].some((where) => Reflect.hasMetadata(key, where));
  const interceptors = all(config?.getGlobalInterceptors?.(), config?.getGlobalRequestInterceptors?.());
  const pipes = all(config?.getGlobalPipes?.(), config?.getGlobalRequestPipes?.());
  return {
    interceptors: isMarked(INTERCEPTORS) || (interceptors?.some((each) => !isOurs(each)) ?? true),
    pipes: isMarked(PIPES) || (pipes?.length ?? 1) > 0,
  };
}

/** Undefined where one of both is not known. */
function all(global: readonly object[] | undefined, perRequest: readonly object[] | undefined): object[] | undefined {
  return global === undefined || perRequest === undefined ? undefined : [...global, ...perRequest];
}

function isOurs(interceptor: object): boolean {
  return interceptor instanceof SnakepitDisconnectInterceptor || interceptor instanceof SseFailureInterceptor;
}
