import type { CliCommand } from '../cli-command.js';
import { conformance } from './conformance.js';
import { defineDoctor } from './doctor.js';
import { defineExec } from './exec.js';
import { defineNew } from './new.js';
import { defineTypes } from './types.js';

/** The words of `npx snakepit`, as `--help` lists them. */
export const COMMANDS: readonly CliCommand[] = [defineDoctor, defineNew, defineExec, defineTypes, conformance];
