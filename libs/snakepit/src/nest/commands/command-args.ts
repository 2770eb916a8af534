/**
 * Returns the arguments of the command from the body of a `@SnakepitCommand` method, whose declared type is that of the
 * command's result.
 *
 * @example
 * \@SnakepitCommand('summarize')
 * summarize(text: string): Promise<Summary> {
 *   return commandArgs({ text });
 * }
 */
export function commandArgs(args?: object | null | Promise<object | null>): never {
  return args as never;
}
