import { Option } from 'commander';

import type { CliCommand } from '../cli-command.js';
import { WORKER_LANGUAGES, type WorkerLanguage } from '../new/worker-templates.js';

/** `snakepit new worker`: writes a first worker. */
export const defineNew: CliCommand = (program) => {
  program
    .command('new')
    .summary('write a worker to start from')
    .command('worker')
    .description(
      'Writes a worker with one command, one stream and their tests, and says how to call it. Overwrites nothing.',
    )
    .argument('[name]', 'name of the worker', 'report')
    .addOption(new Option('--lang <language>', 'its language').choices(WORKER_LANGUAGES).makeOptionMandatory())
    .option('--dir <folder>', 'where it goes', 'workers')
    .action(async (name: string, { lang, dir }: { readonly lang: WorkerLanguage; readonly dir: string }) => {
      const { writeWorker } = await import('../new/write-worker.js');
      const { describeWorker } = await import('../new/describe-worker.js');
      console.log(describeWorker(await writeWorker({ language: lang, name, folder: dir })));
    });
};
