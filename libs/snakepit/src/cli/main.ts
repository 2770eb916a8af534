#!/usr/bin/env node
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';

import { COMMANDS } from './commands/index.js';
import { EXIT_STATUSES } from './exit-status.js';
import { tellFailure } from './tell-failure.js';

const { version } = createRequire(import.meta.url)('nestjs-snakepit/package.json') as { version: string };

const program = new Command('snakepit')
  .description('Supervised external workers for NestJS: look at the machine, make workers, call them, type them.')
  .version(version)
  .showHelpAfterError('Ask for --help to see what there is.')
  .showSuggestionAfterError()
  .exitOverride();
for (const define of COMMANDS) define(program);
try {
  await program.parseAsync();
} catch (error) {
  // What commander throws it has told already.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT_STATUSES.usage.status;
  else process.exitCode = tellFailure(error);
}
