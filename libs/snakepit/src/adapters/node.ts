import { dirname } from 'node:path';

import { option, resolveOptions, type OptionsInput } from '../core/index.js';
import type { LaunchSpec, ProcessAdapter } from '../worker/launch-spec.js';
import { locateBridge } from './bridge-location.js';
import { cwdOf, existingFile, pathOption, processOptions } from './common-options.js';
import { requireExecutable } from './executable.js';
import { checkTransport, grpcOf, transportOptions } from './grpc-options.js';

/** Every option of `node()`. */
export const nodeOptionTable = {
  module: pathOption.required('The file whose exported functions are the commands.'),
  interpreter: option.value(
    (given): given is string | undefined => typeof given === 'string' && given !== '',
    'a path or a name',
    {
      doc: 'Node.js to run, by path or by name.',
      default: undefined,
      defaultDoc: "the host's own",
    },
  ),
  interpreterArgs: option.strings({
    doc: 'Arguments of Node.js itself, such as `--max-old-space-size=512`.',
    default: [],
  }),
  protocol: option.oneOf(['v2', 'v1'], { doc: 'Wire protocol.', default: 'v2' }),
  ...transportOptions,
  ...processOptions,
};

export type NodeOptions = OptionsInput<typeof nodeOptionTable>;

const SOURCE_EXTENSIONS = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '.json'];

/** Workers in Node.js, each a process of its own: `node({ module: './workers/render.js' })`. */
export function node(given: NodeOptions): ProcessAdapter {
  const options = resolveOptions(nodeOptionTable, given, 'node');
  checkTransport('node', options);
  return {
    name: 'node',
    async prepare(): Promise<LaunchSpec> {
      const module = existingFile(options.module, 'node.module');
      const { protocol, codec, interpreter } = options;
      return {
        language: 'node',
        executable: interpreter === undefined ? process.execPath : requireExecutable(interpreter, 'Node.js'),
        args: [
          ...options.interpreterArgs,
          locateBridge('node/dist/worker.js'),
          '--module',
          module,
          ...(protocol === 'v1' ? ['--protocol', codec] : []),
          ...options.args,
        ],
        env: options.env,
        ...cwdOf(options.cwd),
        protocol,
        codec,
        tellsStacks: true,
        sources: { folders: [dirname(module)], extensions: SOURCE_EXTENSIONS },
        ...grpcOf('node', options),
      };
    },
  };
}
