import { statSync } from 'node:fs';

import { InvalidArgumentError, Option, type Command } from 'commander';

import type { ProcessAdapter } from '../worker/launch-spec.js';
import { splitWords } from './split-words.js';
import { UsageError } from './usage-error.js';

type Adapters = typeof import('../adapters/index.js');

/** What may be said about any worker; an adapter refuses what it does not know. */
interface Details {
  readonly interpreter?: string;
  readonly venv?: string;
  readonly requirements?: string;
  readonly protocol?: 'v1' | 'v2';
  readonly codec?: 'auto' | 'msgpack' | 'json';
  readonly env?: Readonly<Record<string, string>>;
}

interface WorkerKind {
  readonly takes: string;
  readonly doc: string;
  readonly adapter: (adapters: Adapters, target: string, details: Details) => ProcessAdapter;
}

/** The workers that can be named on a command line, by the option that names them. */
const WORKER_KINDS = {
  python: {
    takes: '<file>',
    doc: 'worker in Python: a file, or the dotted name of a module',
    adapter: ({ python }, module, details) => python({ module, ...details }),
  },
  node: {
    takes: '<file>',
    doc: 'worker in JavaScript: a file',
    adapter: ({ node }, module, details) => node({ module, ...details }),
  },
  ruby: {
    takes: '<file>',
    doc: 'worker in Ruby: a file',
    adapter: ({ ruby }, module, details) => ruby({ module, ...details }),
  },
  go: {
    takes: '<folder>',
    doc: 'worker in Go: the folder of its package, which is built, or a file that is built already',
    adapter: ({ go }, path, details) => go({ [isFile(path) ? 'binary' : 'package']: path, ...details }),
  },
  r: {
    takes: '<file>',
    doc: 'worker in R: a script',
    adapter: ({ r }, module, details) => r({ module, ...details }),
  },
  command: {
    takes: '<line>',
    doc: 'any program that speaks a wire protocol: its command line, run without a shell; v1 unless --protocol says v2',
    adapter: ({ custom }, line, details) => {
      const [executable, ...args] = splitWords(line);
      return custom({ executable, args, ...details });
    },
  },
} as const satisfies Record<string, WorkerKind>;

type WorkerKindName = keyof typeof WORKER_KINDS;

/** What commander makes of the options below. */
export type WorkerChoice = Details & { readonly [Name in WorkerKindName]?: string };

/** Adds the options by which a worker is chosen. */
export function withWorkerOptions(command: Command): Command {
  const names = Object.keys(WORKER_KINDS) as WorkerKindName[];
  for (const name of names) {
    const { takes, doc } = WORKER_KINDS[name];
    command.addOption(new Option(`--${name} ${takes}`, doc).conflicts(names.filter((other) => other !== name)));
  }
  return command
    .option('--interpreter <program>', 'Python, Node.js, … to run, by path or by name')
    .option('--venv <folder>', 'virtual environment of a Python worker')
    .option('--requirements <file>', 'requirements file of a Python worker; they are installed once')
    .addOption(new Option('--protocol <name>', 'wire protocol').choices(['v1', 'v2']))
    .addOption(new Option('--codec <name>', 'encoding of arguments and results').choices(['auto', 'msgpack', 'json']))
    .option('--env <NAME=value>', 'environment variable of the worker; may be repeated', addVariable);
}

/**
 * The adapter of the worker that was chosen.
 *
 * @throws UsageError when none was
 * @throws SnakepitError INVALID_OPTIONS for what that adapter does not know
 */
export async function chosenAdapter(choice: WorkerChoice): Promise<ProcessAdapter> {
  const names = Object.keys(WORKER_KINDS) as WorkerKindName[];
  const name = names.find((each) => choice[each] !== undefined);
  if (name === undefined)
    throw new UsageError(`say which worker: one of ${names.map((each) => `--${each}`).join(', ')}`);
  const { interpreter, venv, requirements, protocol, codec, env } = choice;
  const said = Object.entries({ interpreter, venv, requirements, protocol, codec, env }).filter(
    ([, value]) => value !== undefined,
  );
  return WORKER_KINDS[name].adapter(await import('../adapters/index.js'), choice[name]!, Object.fromEntries(said));
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function addVariable(given: string, earlier: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = given.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It is to look like NAME=value.');
  return { ...earlier, [given.slice(0, at)]: given.slice(at + 1) };
}
