import { parseArgs } from 'node:util';

import { GROUPS } from './figures.mjs';

export const HELP = `Measures nestjs-snakepit against its peers.

  npm run bench -- [options]

  --quick        one short round of the figures that the JSON has, under 50 s once the peers are installed; for a first look only
  --only GROUP   one group: ${GROUPS.join(', ')}; may be given more than once
  --json FILE    write the figures to FILE, as one object of names and numbers
  --help         show this text

Python's and npm's peers are installed into node_modules/.cache/snakepit-bench by the first run.
A missed target does not fail the run; a figure that cannot be measured does.
`;

/** What the command line asks for that cannot be. */
export class UsageError extends Error {}

/**
 * @param {readonly string[]} args
 * @returns {{ help: boolean, quick: boolean, only: string[], json: string | undefined }}
 * @throws {UsageError} for an unknown option or group
 */
export function parseCommandLine(args) {
  const { help, quick, only, json } = parsed(args);
  const unknown = only.find((group) => !GROUPS.includes(group));
  if (unknown !== undefined) throw new UsageError(`There is no group '${unknown}'; there are ${GROUPS.join(', ')}.`);
  if (json === '') throw new UsageError('--json needs the name of a file.');
  return { help, quick, only, json };
}

function parsed(args) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        quick: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        json: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error.message, { cause: error });
  }
}
