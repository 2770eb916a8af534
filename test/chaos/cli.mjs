import { parseArgs } from 'node:util';

import { GROUP_NAMES } from './figures.mjs';

export const HELP = `Breaks what nestjs-snakepit supervises, and counts what is lost.

  npm run chaos -- [options]

  --quick        a few cycles of each group, under 50 s; for a first look only
  --only GROUP   one group: ${GROUP_NAMES.join(', ')}; may be given more than once
  --cycles N     how often, instead of the group's own number
  --seed N       repeats the random choices of a run that told this seed
  --json FILE    write the figures to FILE, as one object of names and numbers
  --help         show this text

The exit status is 1 when a promise was broken or a group failed, 2 for a wrong option. Linux only: it reads /proc.
`;

/** What the command line asks for that cannot be. */
export class UsageError extends Error {}

/**
 * @param {readonly string[]} args
 * @returns {{ help: boolean, quick: boolean, only: string[], json: string | undefined, cycles: number | undefined, seed: number | undefined }}
 * @throws {UsageError} for an unknown option or group, or a number that is none
 */
export function parseCommandLine(args) {
  const { help, quick, only, json, cycles, seed } = parsed(args);
  const unknown = only.find((group) => !GROUP_NAMES.includes(group));
  if (unknown !== undefined) {
    throw new UsageError(`There is no group '${unknown}'; there are ${GROUP_NAMES.join(', ')}.`);
  }
  if (json === '') throw new UsageError('--json needs the name of a file.');
  return { help, quick, only, json, cycles: positive('--cycles', cycles), seed: positive('--seed', seed) };
}

function positive(name, text) {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new UsageError(`${name} needs a number above 0, not '${text}'.`);
  return value;
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
        cycles: { type: 'string' },
        seed: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error.message, { cause: error });
  }
}
