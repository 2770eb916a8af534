import { InvalidArgumentError } from 'commander';

import type { CliCommand } from '../cli-command.js';
import type { ExecOptions } from '../exec/run.js';
import { withWorkerOptions } from '../worker-choice.js';

/** `snakepit exec`: calls one command of a worker. */
export const defineExec: CliCommand = (program) => {
  withWorkerOptions(program.command('exec'))
    .summary('call a command of a worker from the shell')
    .description(
      'Starts one worker, calls one of its commands and prints the result as JSON, or the items of a stream as lines of JSON.\n' +
        'Without a command, lists those that the worker has.',
    )
    .argument('[command]', 'name of the command')
    .argument('[args]', 'its arguments as JSON; @FILE reads them from a file, - from stdin')
    .option('--stream', 'take the command for a stream, where the worker does not say so itself')
    .option('--timeout <ms>', 'milliseconds that the call may take', milliseconds)
    .option('--session <id>', 'make the call in a session of this name, which lives as long as the worker')
    .option('--input <file>', 'bytes that the command reads as its input; - is stdin')
    .option('--out <file>', 'write the result there instead of to stdout, binary as bytes; - is stdout')
    .option('--quiet', 'show neither what the worker logs nor its progress')
    .option('--verbose', 'show what is logged at level debug, too')
    .action(async (command: string | undefined, args: string | undefined, options: ExecOptions) => {
      const { runExec } = await import('../exec/run.js');
      process.exitCode = await runExec(command, args, options);
    });
};

function milliseconds(given: string): number {
  const value = Number(given);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('It is to be a whole number of milliseconds.');
}
