import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { option, SnakepitError } from '../core/index.js';

function isPath(given: unknown): given is string | URL {
  return (typeof given === 'string' && given !== '') || (given instanceof URL && given.protocol === 'file:');
}

const pathAllowed = 'a path, or a file URL';

/** An option that is a path: given as a string, relative to the working directory, or as a file URL. */
export const pathOption = {
  required: (doc: string) => option.value<string | URL>(isPath, pathAllowed, { doc }),
  optional: (doc: string) =>
    option.value(isPath as (given: unknown) => given is string | URL | undefined, pathAllowed, {
      doc,
      default: undefined,
    }),
};

export function absolutePath(path: string | URL): string {
  return path instanceof URL ? fileURLToPath(path) : resolve(path);
}

/** @throws SnakepitError INVALID_OPTIONS when there is no such file. */
export function existingFile(path: string | URL, optionName: string): string {
  const absolute = absolutePath(path);
  if (statSync(absolute, { throwIfNoEntry: false })?.isFile() === true) return absolute;
  throw new SnakepitError('INVALID_OPTIONS', {
    reason: `'${optionName}' names ${absolute}, which is no file. Relative paths start at the working directory (${process.cwd()}); new URL('…', import.meta.url) starts at the file that says it.`,
    option: optionName,
  });
}

/** What every adapter takes besides its own options. */
export const processOptions = {
  args: option.strings({ doc: 'Further arguments of the program.', default: [] }),
  env: option.stringMap({
    doc: "Environment variables of the workers, beside the host's that are on the allow-list.",
    default: {},
  }),
  cwd: pathOption.optional('Working directory of the workers; default: that of the host.'),
  codec: option.oneOf(['auto', 'msgpack', 'json'], {
    doc: 'Encoding of arguments and results; `auto` takes MessagePack where the worker has it.',
    default: 'auto',
  }),
};

/** `{ cwd }` where one is given; a spec has no member for what is absent. */
export function cwdOf(cwd: string | URL | undefined): { cwd: string } | Record<string, never> {
  return cwd === undefined ? {} : { cwd: absolutePath(cwd) };
}
