import 'reflect-metadata';

import type { ApplicationConfig, ExternalContextCreator } from '@nestjs/core';

import { SnakepitDisconnectInterceptor } from '../http/disconnect.interceptor.js';

/** Nest's key for what `@UseInterceptors` says. */
const INTERCEPTORS = '__interceptors__';

/**
 * Whether a tool has interceptors besides those that this module applies to HTTP routes and that let everything else pass. Without any, Nest
 * need not set up its chain of Observables for each call, which takes longer than all the rest of calling a tool.
 *
 * Nest tells nobody which interceptors apply; where its own fields are not what they are in this version, the answer is yes.
 */
export function hasInterceptors(contexts: ExternalContextCreator, instance: object, callback: object): boolean {
  const container = contexts['container'] as { readonly applicationConfig?: Partial<ApplicationConfig> } | undefined;
  const config = container?.applicationConfig;
  const everywhere = config?.getGlobalInterceptors?.();
  const perRequest = config?.getGlobalRequestInterceptors?.();
  if (everywhere === undefined || perRequest === undefined) return true;
  if (perRequest.length > 0 || everywhere.some((each) => !(each instanceof SnakepitDisconnectInterceptor))) return true;
  return [callback, instance.constructor].some((where) => Reflect.hasMetadata(INTERCEPTORS, where));
}
