import type { Command } from 'commander';

/** One word after `snakepit`: says what it takes, and what it does. Its files are loaded when it is called, not before. */
export type CliCommand = (program: Command) => void;
