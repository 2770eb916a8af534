import { InvalidArgumentError } from 'commander';

import type { CliCommand } from '../cli-command.js';
import { SUBJECTS, type Subject } from '../doctor/finding.js';
import { EXIT_STATUSES } from '../exit-status.js';

interface DoctorOptions {
  readonly for?: readonly Subject[];
  readonly json?: boolean;
}

/** `snakepit doctor`: says whether workers can run here, and what would help. */
export const defineDoctor: CliCommand = (program) => {
  program
    .command('doctor')
    .summary('look whether workers can run here')
    .description(
      'Looks at the machine, the project in the working directory and the languages that are there, and starts and calls a worker of each.\n' +
        'Ends with status 1 where something prevents what was asked for.',
    )
    .option('--for <subjects>', `what has to work, by commas: ${SUBJECTS.join(', ')}`, subjects)
    .option('--json', 'print the findings as JSON')
    .action(async ({ for: asked = [], json = false }: DoctorOptions) => {
      const { examine } = await import('../doctor/examine.js');
      const { describeFindings } = await import('../doctor/describe-findings.js');
      const findings = await examine(process.cwd(), new Set(asked));
      const isFine = findings.every(({ level }) => level !== 'problem');
      console.log(json ? JSON.stringify({ ok: isFine, findings }, undefined, 2) : describeFindings(findings));
      if (!isFine) process.exitCode = EXIT_STATUSES.failed.status;
    });
};

function subjects(given: string): Subject[] {
  const names = given.split(',').map((name) => name.trim());
  const known: readonly string[] = SUBJECTS;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names as Subject[];
  throw new InvalidArgumentError(`'${unknown}' is none of ${SUBJECTS.join(', ')}.`);
}
