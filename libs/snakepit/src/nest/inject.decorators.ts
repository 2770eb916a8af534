import { Inject } from '@nestjs/common';

import { PoolService, PythonService, SessionService } from '../runtime/index.js';
import { getPoolToken, getPythonToken } from './tokens.js';

/** Injects the `PoolService` of the named pool; without a name, that of the default pool. */
export function InjectPool(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(name === undefined ? PoolService : getPoolToken(name));
}

/** Injects the `PythonService` of the named pool; without a name, that of the default pool. */
export function InjectPython(name?: string): ParameterDecorator & PropertyDecorator {
  return Inject(name === undefined ? PythonService : getPythonToken(name));
}

/** Injects the `SessionService`. */
export function InjectSession(): ParameterDecorator & PropertyDecorator {
  return Inject(SessionService);
}
