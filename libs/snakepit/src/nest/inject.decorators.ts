import { Inject } from '@nestjs/common';

import { PoolService, SessionService } from '../runtime/index.js';
import { getPoolToken } from './tokens.js';

/** Injects the `PoolService` of the named pool; without a name, that of the default pool. */
export function InjectPool(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(name === undefined ? PoolService : getPoolToken(name));
}

/** Injects the `SessionService`. */
export function InjectSession(): ParameterDecorator & PropertyDecorator {
  return Inject(SessionService);
}
