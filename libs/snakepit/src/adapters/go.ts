import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import {
  option,
  resolveOptions,
  silentLog,
  SnakepitError,
  type LogSink,
  type OptionsInput,
  type OptionsResolved,
} from '../core/index.js';
import type { LaunchSpec, ProcessAdapter } from '../worker/launch-spec.js';
import { absolutePath, cwdOf, existingFile, pathOption, processOptions } from './common-options.js';
import { findExecutable } from './executable.js';
import { defaultBuildRoot, provideGoBuild, toolchainNotFound, type GoBuild } from './go-build.js';

/** Every option of `go()`. */
export const goOptionTable = {
  package: pathOption.optional('Folder of the Go package to build and run. Either this or `binary`.'),
  binary: pathOption.optional('A worker that is built already.'),
  toolchain: option.string({ doc: 'The program `go` that builds `package`, by path or by name.', default: 'go' }),
  buildArgs: option.strings({ doc: 'Further arguments of `go build`, such as `-tags=cuda`.', default: [] }),
  builds: pathOption.optional(
    'Folder in which builds are kept; default: `nestjs-snakepit/go` in the user’s cache folder.',
  ),
  ...processOptions,
};

export type GoOptions = OptionsInput<typeof goOptionTable>;
type ResolvedOptions = OptionsResolved<typeof goOptionTable>;

/**
 * Workers in Go: `go({ package: './workers/ml' })`, which is built when the pool starts, or `go({ binary: './ml-worker' })`.
 *
 * @throws SnakepitError INVALID_OPTIONS for options that cannot be right; what needs a look at the machine is checked when the pool starts.
 */
export function go(given: GoOptions): ProcessAdapter {
  const options = resolveOptions(goOptionTable, given, 'go');
  checkProgram(options);
  return {
    name: 'go',
    async prepare({ log = silentLog }): Promise<LaunchSpec> {
      return {
        language: 'go',
        ...(await programOf(options, log)),
        args: options.args,
        env: options.env,
        ...cwdOf(options.cwd),
        protocol: 'v2',
        codec: options.codec,
      };
    },
  };
}

function checkProgram({ package: folder, binary }: ResolvedOptions): void {
  if ((folder === undefined) !== (binary === undefined)) return;
  const reason =
    folder === undefined
      ? `'go.package' (a folder to build) or 'go.binary' (a program) is missing.`
      : `'go.package' and 'go.binary' exclude each other: the one is built, the other is run as it is.`;
  throw new SnakepitError('INVALID_OPTIONS', { reason, option: 'go.package' });
}

async function programOf(
  options: ResolvedOptions,
  log: LogSink,
): Promise<Pick<LaunchSpec, 'executable' | 'sources' | 'rebuild'>> {
  const { package: given, binary } = options;
  if (given === undefined) {
    const executable = existingFile(binary!, 'go.binary');
    checkExecutable(executable);
    return { executable, sources: { folders: [dirname(executable)], extensions: [basename(executable)] } };
  }
  const folder = existingPackage(absolutePath(given));
  const build = async (): Promise<GoBuild> => {
    const toolchain = findExecutable(options.toolchain, process.env['PATH'] ?? '');
    if (toolchain === undefined) throw toolchainNotFound(options.toolchain, undefined);
    const root = options.builds === undefined ? defaultBuildRoot() : absolutePath(options.builds);
    return await provideGoBuild({ toolchain, folder, buildArgs: options.buildArgs, root }, log);
  };
  const { executable, folders } = await build();
  return {
    executable,
    sources: { folders, extensions: ['.go', '.mod', '.sum'] },
    rebuild: async () => (await build()).executable,
  };
}

/** @throws SnakepitError INVALID_OPTIONS */
function existingPackage(folder: string): string {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return folder;
  const isFile = existsSync(folder);
  const what = isFile ? `a file; name the folder that it is in (${join(folder, '..')})` : 'no folder';
  throw new SnakepitError('INVALID_OPTIONS', {
    reason: `'go.package' names ${folder}, which is ${what}. Relative paths start at the working directory (${process.cwd()}).`,
    option: 'go.package',
  });
}

/** @throws SnakepitError INVALID_OPTIONS */
function checkExecutable(path: string): void {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    throw new SnakepitError('INVALID_OPTIONS', {
      reason: `'go.binary' names ${path}, which may not be executed. Build it by 'go build -o ${path}', or 'chmod +x' it.`,
      option: 'go.binary',
    });
  }
}
