#!/usr/bin/env node
import { createRequire } from 'node:module';
import { Command } from 'commander';

import { COMMANDS } from './commands/index.js';

const { version } = createRequire(import.meta.url)('nestjs-snakepit/package.json') as { version: string };

const program = new Command('snakepit')
  .description('Supervised external workers for NestJS: look at the machine, make workers, call them, type them.')
  .version(version)
  .showHelpAfterError()
  .showSuggestionAfterError();
for (const define of COMMANDS) define(program);
await program.parseAsync();
