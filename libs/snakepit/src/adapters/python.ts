import { dirname, sep } from 'node:path';

import {
  option,
  resolveOptions,
  silentLog,
  SnakepitError,
  type LogSink,
  type OptionsInput,
  type OptionsResolved,
} from '../core/index.js';
import type { LaunchSpec, ProcessAdapter, ZygoteSpec } from '../worker/launch-spec.js';
import { locateBridge } from './bridge-location.js';
import { absolutePath, cwdOf, existingFile, pathOption, processOptions } from './common-options.js';
import { checkEnhanced, enhancedArgs, enhancedOptionTable, NO_MODULE } from './enhanced-options.js';
import { checkTransport, grpcOf, transportOptions } from './grpc-options.js';
import { defaultEnvironmentRoot, ENVIRONMENT_MANAGERS, provideEnvironment } from './python-environment.js';
import { findPython } from './python-interpreter.js';
import { missingModuleRemedy } from './python-remedy.js';

/** Every option of `python()`. */
export const pythonOptionTable = {
  module: pathOption.optional(
    'The file with the functions, or the dotted name of a module that can be imported. Required unless `enhanced` is given.',
  ),
  enhanced: option.toggle(enhancedOptionTable, {
    doc: 'Serve calls of libraries, see [Python libraries](python.md); sessions get strict affinity (`strict-queue`) by default then. v2.',
  }),
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
  requirements: option.value<readonly string[] | string | URL | undefined>(
    isRequirements,
    'a list of requirements, or the path of a requirements file',
    {
      doc: 'Packages for the workers: an environment with them is made once and kept, see [workers](workers.md#packages).',
      default: undefined,
    },
  ),
  pyproject: pathOption.optional('A `pyproject.toml` whose dependencies are the packages for the workers.'),
  manager: option.oneOf(ENVIRONMENT_MANAGERS, {
    doc: 'What makes the environment; `auto` takes uv where it is on the PATH.',
    default: 'auto',
  }),
  environments: pathOption.optional(
    'Folder in which environments are kept; default: `nestjs-snakepit/python` in the user’s cache folder.',
  ),
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
  threads: option.boolean({
    doc: 'Plain functions run side by side, on threads, as many as the pool’s `concurrency` says; see [Side by side](workers.md#side-by-side). v2 on a descriptor.',
    default: false,
  }),
  ...transportOptions,
  ...processOptions,
};

type GivenOptions = OptionsInput<typeof pythonOptionTable>;
type ModuleOption = { readonly module: string | URL };
type EnhancedOption = { readonly enhanced: OptionsInput<typeof enhancedOptionTable> };
/** A module, libraries for callers, or both. */
export type PythonOptions = Omit<GivenOptions, 'module' | 'enhanced'> &
  ((ModuleOption & Partial<EnhancedOption>) | (Partial<ModuleOption> & EnhancedOption));
type ResolvedOptions = OptionsResolved<typeof pythonOptionTable>;

/**
 * Workers in Python: `python({ module: './workers/report.py' })`; with `enhanced`, callers may call libraries: `python({ enhanced: { allow: ['math', 'pandas'] } })`.
 *
 * @throws SnakepitError INVALID_OPTIONS for options that cannot be right; what needs a look at the machine (files, interpreter)
 * is checked when the pool starts.
 */
export function python(given: PythonOptions): ProcessAdapter {
  const options = resolveOptions(pythonOptionTable, given, 'python');
  checkTransport('python', options);
  checkZygote(options);
  checkThreads(options);
  checkEnvironment(options);
  checkEnhanced(options.enhanced, options.protocol);
  const { enhanced, module: target = moduleWithout(enhanced) } = options;
  return {
    name: 'python',
    ...(enhanced && { poolDefaults: { affinity: 'strict-queue' } }),
    async prepare({ pool, concurrency, log = silentLog }): Promise<LaunchSpec> {
      if (options.threads && concurrency === 1) throw needlessThreads(pool);
      const module = isFile(target) ? existingFile(target, 'python.module') : String(target);
      const libraries = enhanced ? enhancedArgs(enhanced) : [];
      const interpreter = await findPython({
        interpreter: options.interpreter,
        venv: options.venv === undefined ? undefined : absolutePath(options.venv),
        searchPath: process.env['PATH'] ?? '',
      });
      const executable = await ownPython(interpreter, options, log);
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
          ...(options.threads ? ['--threads'] : []),
          ...libraries,
          ...options.args,
        ],
        env: { PYTHONUNBUFFERED: '1', ...options.env },
        searchPaths: { PYTHONPATH: [bridge, ...options.path.map(absolutePath)] },
        ...cwdOf(options.cwd),
        protocol,
        codec,
        remedyFor: (said) => missingModuleRemedy(executable, said),
        sources: {
          // Where the file of a dotted name lies, only Python knows.
          folders: isFile(target) ? [dirname(module)] : options.path.map(absolutePath),
          extensions: ['.py'],
        },
        ...grpcOf('python', options),
        ...(zygote && { zygote: zygoteSpec(zygote, [module, ...libraries], options) }),
      };
    },
  };
}

/** @throws SnakepitError INVALID_OPTIONS where there is nothing else to serve */
function moduleWithout(enhanced: ResolvedOptions['enhanced']): string {
  if (enhanced !== false) return NO_MODULE;
  throw new SnakepitError('INVALID_OPTIONS', {
    reason: `'python.module' is undefined; allowed is ${pythonOptionTable.module.allowed}.`,
    option: 'python.module',
  });
}

function checkZygote({ zygote, protocol, transport }: ResolvedOptions): void {
  if (zygote === false || (protocol === 'v2' && transport === 'fd')) return;
  const needed = protocol === 'v2' ? `transport 'fd'; with 'grpc'` : `protocol 'v2'; with 'v1'`;
  throw new SnakepitError('INVALID_OPTIONS', {
    reason: `'python.zygote' needs ${needed} each worker is started on its own.`,
    option: 'python.zygote',
  });
}

function checkThreads({ threads, protocol, transport }: ResolvedOptions): void {
  if (!threads || (protocol === 'v2' && transport === 'fd')) return;
  const needed = protocol === 'v2' ? `transport 'fd'` : `protocol 'v2'`;
  throw new SnakepitError('INVALID_OPTIONS', {
    reason: `'python.threads' needs ${needed}; otherwise plain functions run one at a time.`,
    option: 'python.threads',
  });
}

function needlessThreads(pool: string): SnakepitError {
  return new SnakepitError('INVALID_OPTIONS', {
    reason: `'python.threads' of pool '${pool}' does nothing while its 'concurrency' is 1; set that to the number of calls that a worker is to run at once.`,
    option: 'python.threads',
  });
}

function zygoteSpec(
  { preload, preloadModule }: Exclude<ResolvedOptions['zygote'], false>,
  module: readonly string[],
  { interpreterArgs, args, threads }: ResolvedOptions,
): ZygoteSpec {
  return {
    args: [
      ...interpreterArgs,
      '-m',
      'snakepit_bridge.zygote',
      ...preload.flatMap((name) => ['--preload', name]),
      ...(preloadModule ? ['--preload-module'] : []),
      ...(threads ? ['--threads'] : []),
      '--module',
      ...module,
      ...args,
    ],
  };
}

function checkEnvironment({ venv, requirements, pyproject }: ResolvedOptions): void {
  const given = Object.entries({ venv, requirements, pyproject }).filter(([, value]) => value !== undefined);
  if (given.length < 2) return;
  const names = given.map(([name]) => `'python.${name}'`).join(' and ');
  throw new SnakepitError('INVALID_OPTIONS', {
    reason: `${names} exclude each other: 'venv' is an environment of your own, the others are made and kept.`,
    option: `python.${given[1]![0]}`,
  });
}

/** The interpreter itself, or that of an environment made from it where packages are asked for. */
async function ownPython(interpreter: string, options: ResolvedOptions, log: LogSink): Promise<string> {
  const { requirements, pyproject, manager, environments, transport, grpc, codec } = options;
  if (requirements === undefined && pyproject === undefined) return interpreter;
  const wish = {
    ...(isList(requirements) && { requirements }),
    ...(requirements !== undefined &&
      !isList(requirements) && { requirementsFile: existingFile(requirements, 'python.requirements') }),
    ...(pyproject !== undefined && { pyproject: existingFile(pyproject, 'python.pyproject') }),
    extras: [
      ...(transport === 'grpc' ? [grpc.reflection ? 'all' : 'grpc'] : []),
      ...(codec === 'msgpack' ? ['msgpack'] : []),
    ],
    manager,
    root: environments === undefined ? defaultEnvironmentRoot() : absolutePath(environments),
  };
  return await provideEnvironment(interpreter, wish, log);
}

function isRequirements(given: unknown): given is readonly string[] | string | URL | undefined {
  if (Array.isArray(given)) return given.every((line) => typeof line === 'string' && line.trim() !== '');
  return (typeof given === 'string' && given !== '') || (given instanceof URL && given.protocol === 'file:');
}

function isList(given: readonly string[] | string | URL | undefined): given is readonly string[] {
  return Array.isArray(given);
}

function isFile(module: string | URL): boolean {
  return module instanceof URL || module.endsWith('.py') || module.includes(sep);
}
