import { dirname, sep } from 'node:path';

import { option, resolveOptions, SnakepitError, type OptionsInput, type OptionsResolved } from '../core/index.js';
import type { Adapter, LaunchSpec, ZygoteSpec } from '../worker/launch-spec.js';
import { locateBridge } from './bridge-location.js';
import { absolutePath, cwdOf, existingFile, pathOption, processOptions } from './common-options.js';
import { findPython } from './python-interpreter.js';

/** Every option of `python()`. */
export const pythonOptionTable = {
  module: pathOption.required('The file with the functions, or the dotted name of a module that can be imported.'),
  interpreter: option.value(
    (given): given is string | undefined => typeof given === 'string' && given !== '',
    'a path or a name',
    {
      doc: 'Python to run, by path or by name.',
      default: undefined,
      defaultDoc: "that of 'venv', else `python3` or `python` on the PATH",
    },
  ),
  venv: pathOption.optional('Folder of the virtual environment whose Python is to run.'),
  path: option.strings({ doc: 'Folders that modules are imported from, before the interpreter’s own.', default: [] }),
  protocol: option.oneOf(['v2', 'v1'], { doc: 'Wire protocol.', default: 'v2' }),
  interpreterArgs: option.strings({ doc: 'Arguments of the interpreter itself, such as `-X dev`.', default: [] }),
  zygote: option.toggle(
    {
      preload: option.strings({
        doc: 'Names of modules that are imported once, before the first worker is forked.',
        default: [],
      }),
      preloadModule: option.boolean({
        doc: 'Whether the module with the commands is imported once too, instead of in each worker.',
        default: true,
      }),
    },
    {
      doc: 'Fork workers from a process that has imported everything, instead of starting each on its own. Linux, v2.',
    },
  ),
  ...processOptions,
};

export type PythonOptions = OptionsInput<typeof pythonOptionTable>;
type ResolvedOptions = OptionsResolved<typeof pythonOptionTable>;

/**
 * Workers in Python: `python({ module: './workers/report.py' })`.
 *
 * @throws SnakepitError INVALID_OPTIONS for options that cannot be right; what needs a look at the machine (files, interpreter)
 * is checked when the pool starts.
 */
export function python(given: PythonOptions): Adapter {
  const options = resolveOptions(pythonOptionTable, given, 'python');
  if (options.zygote !== false && options.protocol !== 'v2') {
    throw new SnakepitError('INVALID_OPTIONS', {
      reason: `'python.zygote' needs protocol 'v2'; with 'v1' each worker is started on its own.`,
      option: 'python.zygote',
    });
  }
  return {
    name: 'python',
    async prepare(): Promise<LaunchSpec> {
      const module = isFile(options.module) ? existingFile(options.module, 'python.module') : String(options.module);
      const executable = await findPython({
        interpreter: options.interpreter,
        venv: options.venv === undefined ? undefined : absolutePath(options.venv),
        searchPath: process.env['PATH'] ?? '',
      });
      const { protocol, codec, zygote } = options;
      const bridge = locateBridge('python');
      return {
        language: 'python',
        executable,
        args: [
          ...options.interpreterArgs,
          '-m',
          'snakepit_bridge.worker',
          '--module',
          module,
          ...(protocol === 'v1' ? ['--protocol', codec] : []),
          ...options.args,
        ],
        env: { PYTHONUNBUFFERED: '1', ...options.env },
        searchPaths: { PYTHONPATH: [bridge, ...options.path.map(absolutePath)] },
        ...cwdOf(options.cwd),
        protocol,
        codec,
        sources: {
          // Where the file of a dotted name lies, only Python knows.
          folders: isFile(options.module) ? [dirname(module)] : options.path.map(absolutePath),
          extensions: ['.py'],
        },
        ...(zygote && { zygote: zygoteSpec(zygote, module, options) }),
      };
    },
  };
}

function zygoteSpec(
  { preload, preloadModule }: Exclude<ResolvedOptions['zygote'], false>,
  module: string,
  { interpreterArgs, args }: ResolvedOptions,
): ZygoteSpec {
  return {
    args: [
      ...interpreterArgs,
      '-m',
      'snakepit_bridge.zygote',
      ...preload.flatMap((name) => ['--preload', name]),
      ...(preloadModule ? ['--preload-module'] : []),
      '--module',
      module,
      ...args,
    ],
  };
}

function isFile(module: string | URL): boolean {
  return module instanceof URL || module.endsWith('.py') || module.includes(sep);
}
