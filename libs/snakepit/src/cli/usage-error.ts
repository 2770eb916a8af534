/** Something is wrong with what was typed: told without a stack, with the status for wrong usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
