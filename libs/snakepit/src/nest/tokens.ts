import type { SnakepitContext, SnakepitOptions } from '../runtime/index.js';

/** Injection token of the module's options. */
export const SNAKEPIT_OPTIONS = Symbol('SNAKEPIT_OPTIONS');

/** Injection token of what the module was given of its own options, beside those of the pools. */
export const SNAKEPIT_GIVEN_OPTIONS = Symbol('SNAKEPIT_GIVEN_OPTIONS');

/** Injection token of a pool's `PoolService`; what `@InjectPool(name)` injects. */
export function getPoolToken(name: string): string {
  // Nest quotes the token when it cannot resolve it, so the token says what to do.
  return `snakepit pool '${name}' (declared in 'pools' of SnakepitModule.forRoot or 'poolNames' of forRootAsync)`;
}

/** Injection token of a pool's `PythonService`; what `@InjectPython(name)` injects. */
export function getPythonToken(name: string): string {
  return `python of ${getPoolToken(name)}`;
}

/** Injection token of {@link SnakepitSurroundings}; nobody needs to provide it. */
export const SNAKEPIT_SURROUNDINGS = Symbol('SNAKEPIT_SURROUNDINGS');

/** What a module that is imported beside the application's own may change of how its pools come into being, as that for tests does. */
export interface SnakepitSurroundings extends SnakepitContext {
  /** Given the module's options, those to be used. */
  readonly options?: (options: SnakepitOptions) => SnakepitOptions;
}
