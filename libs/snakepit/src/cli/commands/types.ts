import type { CliCommand } from '../cli-command.js';
import type { TypesOptions } from '../types/run.js';
import { withWorkerOptions } from '../worker-choice.js';

/** `snakepit types`: writes a typed client of a worker, or tells what has changed since. */
export const defineTypes: CliCommand = (program) => {
  withWorkerOptions(program.command('types'))
    .summary('write a typed client of a worker')
    .description(
      'Starts a worker, reads what its commands take and give, and writes a class for SnakepitModule.forFeature with the types of all that.\n' +
        'With --check nothing is written: what has changed in the worker is named, and the exit status is 1.',
    )
    .option(
      '--config <file>',
      'instead of a worker: a JavaScript file whose default export is what SnakepitModule.forRoot gets',
    )
    .option('--pool <name>', 'the pool that the client calls; with --config, also the one that is started')
    .option('--name <Name>', 'name of the class; by default made from that of the file or the pool')
    .option('--out <file>', 'where the client is, or will be; without it, stdout')
    .option('--check', 'compare the client at --out with the worker')
    .action(async (options: TypesOptions) => {
      const { runTypes } = await import('../types/run.js');
      process.exitCode = await runTypes(options);
    });
};
