import { dirname } from 'node:path';

import { option, resolveOptions, type OptionsInput } from '../core/index.js';
import type { LaunchSpec, ProcessAdapter } from '../worker/launch-spec.js';
import { locateBridge } from './bridge-location.js';
import { absolutePath, cwdOf, existingFile, pathOption, processOptions } from './common-options.js';
import { requireExecutable } from './executable.js';

const { args, env, cwd } = processOptions;

/** Every option of `r()`. */
export const rOptionTable = {
  module: pathOption.required('The file that registers commands, or whose functions are the commands.'),
  interpreter: option.string({ doc: 'Rscript to run, by path or by name.', default: 'Rscript' }),
  interpreterArgs: option.strings({ doc: 'Arguments of Rscript itself, such as `--vanilla`.', default: [] }),
  libraries: option.strings({
    doc: 'Folders with installed R packages, which come before those that R knows.',
    default: [],
  }),
  args,
  env,
  cwd,
};

export type ROptions = OptionsInput<typeof rOptionTable>;

/**
 * Workers in R: `r({ module: './workers/model.R' })`.
 *
 * R runs one command at a time and answers no heartbeat meanwhile. It cannot open the socket that workers are given, so a shell
 * that it replaces puts pipes in between.
 *
 * @throws SnakepitError INVALID_OPTIONS for options that cannot be right; what needs a look at the machine (file, interpreter)
 * is checked when the pool starts.
 */
export function r(given: ROptions): ProcessAdapter {
  const options = resolveOptions(rOptionTable, given, 'r');
  return {
    name: 'r',
    async prepare(): Promise<LaunchSpec> {
      const module = existingFile(options.module, 'r.module');
      return {
        language: 'r',
        executable: '/bin/sh',
        args: [
          locateBridge('r/inst/launch.sh'),
          requireExecutable(options.interpreter, 'R'),
          ...options.interpreterArgs,
          locateBridge('r/inst/worker.R'),
          '--module',
          module,
          ...options.args,
        ],
        env: options.env,
        ...(options.libraries.length > 0 && { searchPaths: { R_LIBS: options.libraries.map(absolutePath) } }),
        ...cwdOf(options.cwd),
        protocol: 'v2',
        codec: 'json',
        hasFolder: true,
        sources: { folders: [dirname(module)], extensions: ['.R', '.r'] },
      };
    },
  };
}
