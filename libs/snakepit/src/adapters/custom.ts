import { dirname, extname } from 'node:path';

import { option, resolveOptions, type OptionsInput } from '../core/index.js';
import type { Adapter, LaunchSpec, ProcessAdapter } from '../worker/launch-spec.js';
import { cwdOf, existingFile, pathOption, processOptions } from './common-options.js';
import { requireExecutable } from './executable.js';
import { checkTransport, grpcOf, transportOptions } from './grpc-options.js';

type Validate = NonNullable<Adapter['validate']>;
type PrepareArgs = NonNullable<Adapter['prepareArgs']>;
type ProcessResponse = NonNullable<Adapter['processResponse']>;
type CommandTimeout = NonNullable<Adapter['commandTimeoutMs']>;

function optionalFunction<Fn>(doc: string) {
  const accepts = (given: unknown): given is Fn | undefined => typeof given === 'function';
  return option.value(accepts, 'a function', { doc, default: undefined });
}

/** Every option of `custom()`. */
export const customOptionTable = {
  executable: option.string({ doc: 'The program: an absolute path, or a name on the PATH.' }),
  script: pathOption.optional('File that becomes the first argument of the program.'),
  protocol: option.oneOf(['v1', 'v2'], { doc: 'Wire protocol that the program speaks.', default: 'v1' }),
  language: option.string({ doc: 'What the program is, for messages.', default: 'custom' }),
  supportedCommands: option.value(
    (given): given is readonly string[] | undefined =>
      Array.isArray(given) && given.every((item) => typeof item === 'string'),
    'a list of strings',
    { doc: 'Commands it has; any other is refused with UNKNOWN_COMMAND. Default: any is sent.', default: undefined },
  ),
  validate: optionalFunction<Validate>('Refuses a call by throwing, before anything is sent.'),
  prepareArgs: optionalFunction<PrepareArgs>('Rewrites the arguments on their way out.'),
  processResponse: optionalFunction<ProcessResponse>('Rewrites the result, or each item of a stream, on its way in.'),
  commandTimeoutMs: optionalFunction<CommandTimeout>('Milliseconds a command may take when the caller does not say.'),
  ...transportOptions,
  ...processOptions,
};

export type CustomOptions = OptionsInput<typeof customOptionTable>;

/**
 * Any program that speaks one of the wire protocols; the ancestor's adapters are this.
 *
 * With protocol `v1` and transport `grpc` it is a gRPC bridge of the ancestor's, whose arguments end in `--port` and the port that it is to
 * listen on.
 */
export function custom(given: CustomOptions): ProcessAdapter {
  const options = resolveOptions(customOptionTable, given, 'custom');
  checkTransport('custom', options);
  const { supportedCommands, validate, prepareArgs, processResponse, commandTimeoutMs } = options;
  return {
    name: options.language,
    ...(supportedCommands && { supportedCommands }),
    ...(validate && { validate }),
    ...(prepareArgs && { prepareArgs }),
    ...(processResponse && { processResponse }),
    ...(commandTimeoutMs && { commandTimeoutMs }),
    async prepare(): Promise<LaunchSpec> {
      const { protocol, codec } = options;
      const script = options.script === undefined ? undefined : existingFile(options.script, 'custom.script');
      return {
        language: options.language,
        executable: requireExecutable(options.executable, options.language),
        args: [...(script === undefined ? [] : [script]), ...options.args],
        env: options.env,
        ...cwdOf(options.cwd),
        protocol,
        codec,
        ...(script !== undefined && { sources: { folders: [dirname(script)], extensions: [extname(script)] } }),
        ...grpcOf('custom', options),
      };
    },
  };
}
