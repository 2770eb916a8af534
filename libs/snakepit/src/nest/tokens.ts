/** Injection token of the module's options. */
export const SNAKEPIT_OPTIONS = Symbol('SNAKEPIT_OPTIONS');

/** Injection token of a pool's `PoolService`; what `@InjectPool(name)` injects. */
export function getPoolToken(name: string): string {
  // Nest quotes the token when it cannot resolve it, so the token says what to do.
  return `snakepit pool '${name}' (declared in 'pools' of SnakepitModule.forRoot or 'poolNames' of forRootAsync)`;
}
