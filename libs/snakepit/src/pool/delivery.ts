import { SnakepitError } from '../core/index.js';

/** The same error for a call of which an earlier attempt may have run: what its last attempt knows is not all. */
export function mayHaveRun(error: SnakepitError): SnakepitError {
  if (error.delivery !== 'not-started') return error;
  const { code, details, cause, remote } = error;
  return new SnakepitError(code, details, { cause, delivery: 'may-have-run', ...(remote && { remote }) });
}
