import { dirname } from 'node:path';

import { option, resolveOptions, type OptionsInput } from '../core/index.js';
import type { LaunchSpec, ProcessAdapter } from '../worker/launch-spec.js';
import { locateBridge } from './bridge-location.js';
import { absolutePath, cwdOf, existingFile, pathOption, processOptions } from './common-options.js';
import { findRuby } from './ruby-interpreter.js';

/** Every option of `ruby()`. */
export const rubyOptionTable = {
  module: pathOption.required('The file that declares the commands.'),
  interpreter: option.value(
    (given): given is string | undefined => typeof given === 'string' && given !== '',
    'a path or a name',
    { doc: 'Ruby to run, by path or by name.', default: undefined, defaultDoc: '`ruby` on the PATH' },
  ),
  interpreterArgs: option.strings({ doc: 'Arguments of the interpreter itself, such as `--yjit`.', default: [] }),
  path: option.strings({ doc: 'Folders that files are required from, before the interpreter’s own.', default: [] }),
  gemfile: pathOption.optional(
    'A Gemfile: workers have the gems that it names, and no others, by Bundler. List `msgpack` in it to speak MessagePack.',
  ),
  protocol: option.oneOf(['v2', 'v1'], { doc: 'Wire protocol.', default: 'v2' }),
  ...processOptions,
};

export type RubyOptions = OptionsInput<typeof rubyOptionTable>;

/**
 * Workers in Ruby: `ruby({ module: './workers/report.rb' })`.
 *
 * @throws SnakepitError INVALID_OPTIONS for options that cannot be right; what needs a look at the machine (files, interpreter)
 * is checked when the pool starts.
 */
export function ruby(given: RubyOptions): ProcessAdapter {
  const options = resolveOptions(rubyOptionTable, given, 'ruby');
  return {
    name: 'ruby',
    async prepare(): Promise<LaunchSpec> {
      const module = existingFile(options.module, 'ruby.module');
      const gemfile = options.gemfile === undefined ? undefined : existingFile(options.gemfile, 'ruby.gemfile');
      const executable = await findRuby(options.interpreter, process.env['PATH'] ?? '');
      const { protocol, codec } = options;
      return {
        language: 'ruby',
        executable,
        args: [
          ...options.interpreterArgs,
          ...(gemfile === undefined ? [] : ['-rbundler/setup']),
          locateBridge('ruby/exe/snakepit-ruby-worker'),
          '--module',
          module,
          ...(protocol === 'v1' ? ['--protocol', codec] : []),
          ...options.args,
        ],
        env: { ...(gemfile !== undefined && { BUNDLE_GEMFILE: gemfile }), ...options.env },
        ...(options.path.length > 0 && { searchPaths: { RUBYLIB: options.path.map(absolutePath) } }),
        ...cwdOf(options.cwd),
        protocol,
        codec,
        sources: { folders: [dirname(module), ...options.path.map(absolutePath)], extensions: ['.rb'] },
      };
    },
  };
}
