import { isSnakepitError, toError } from '../core/index.js';
import { EXIT_STATUSES, statusOfError } from './exit-status.js';
import { UsageError } from './usage-error.js';

/** Writes on stderr what went wrong, with what helps to mend it, and returns the exit status for it. */
export function tellFailure(thrown: unknown): number {
  if (!isSnakepitError(thrown)) {
    const isUsage = thrown instanceof UsageError;
    const { message, stack } = toError(thrown);
    console.error(`snakepit: ${isUsage ? message : (stack ?? message)}`);
    return isUsage ? EXIT_STATUSES.usage.status : EXIT_STATUSES.failed.status;
  }
  console.error(`snakepit: ${thrown.code}: ${thrown.message}`);
  const { workerStacks } = thrown.details;
  if (typeof workerStacks === 'string') console.error(`\n${workerStacks.trimEnd()}`);
  if (thrown.remote?.traceback) console.error(`\n${thrown.remote.traceback.trimEnd()}`);
  return statusOfError(thrown.code);
}
