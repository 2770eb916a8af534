import type { CliCommand } from '../cli-command.js';
import { conformance } from './conformance.js';

/** The words of `npx snakepit`, as `--help` lists them. */
export const COMMANDS: readonly CliCommand[] = [conformance];
