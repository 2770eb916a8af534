import type { CliCommand } from '../cli-command.js';

/** The words of `npx snakepit`, as `--help` lists them. */
export const COMMANDS: readonly CliCommand[] = [];
