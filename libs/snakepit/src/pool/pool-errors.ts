import { isSnakepitError, SnakepitError, toError, type Delivery } from '../core/index.js';

export function cancelled(command: string, pool: string, cause: unknown, delivery: Delivery): SnakepitError {
  return new SnakepitError('CANCELLED', { command, pool }, { cause, delivery });
}

/** What was thrown while the arguments were looked at, as the caller gets it. */
export function invalidArguments(command: string, pool: string, thrown: unknown): SnakepitError {
  if (isSnakepitError(thrown)) return thrown;
  return new SnakepitError('INVALID_ARGUMENTS', { command, pool, reason: toError(thrown).message }, { cause: thrown });
}

/** What the adapter threw while it looked at a result, as the caller gets it. */
export function invalidResult(command: string, pool: string, thrown: unknown): SnakepitError {
  if (isSnakepitError(thrown)) return thrown;
  const reason = `the adapter's processResponse threw: ${toError(thrown).message}`;
  return new SnakepitError('INVALID_RESULT', { command, pool, reason }, { cause: thrown });
}
