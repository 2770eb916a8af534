import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  go,
  node,
  python,
  r,
  ruby,
  type Adapter,
  type LogRecord,
  type PoolOptions,
  type ProcessAdapter,
  type PoolService,
} from 'nestjs-snakepit/core';
import type { Snakepit } from 'nestjs-snakepit/core';
import { fake, type FakeAdapter, type FakeOptions } from 'nestjs-snakepit/testing';
import { afterAll, beforeAll, beforeEach, inject } from 'vitest';

import { impossibleIn } from './impossible-cases.js';

export type Language = 'python' | 'node';
/** Languages whose SDK speaks v2 on a descriptor alone, as far as these tests go. */
export type OtherLanguage = 'ruby' | 'go' | 'r';
/** What the commands of a combination run in: a process of that language, or the host's own. */
export type Home = Language | OtherLanguage | 'fake';
/** `grpc` is v2 over gRPC. */
export type Protocol = 'v1' | 'v2' | 'grpc';
export type CodecName = 'json' | 'msgpack';

/** What a protocol and a codec can carry; what they cannot must be refused with a clear error. */
export interface Capabilities {
  /** Streams, session data, progress, log records and events, cancellation in the worker, several calls at once. */
  readonly multiplexes: boolean;
  /** Binary, times, integers beyond 2^53 and floats that are not finite. */
  readonly carriesAllValues: boolean;
  /** The types of typed arrays; else they arrive as their bytes. */
  readonly keepsTypes: boolean;
  /** The sign of -0. */
  readonly carriesMinusZero: boolean;
  /** Functions tell surplus arguments, and named ones that are missing. */
  readonly knowsSignatures: boolean;
  /** What is written to descriptor 1 behind the back of the SDK cannot get between the replies. */
  readonly guardsStdout: boolean;
  /** Each worker has a process of its own, with an id. */
  readonly hasProcesses: boolean;
}

export interface Combination {
  readonly name: string;
  readonly language: Home;
  readonly protocol: Protocol;
  readonly codec: CodecName;
  /** Whether workers are forked from a zygote. */
  readonly zygote: boolean;
  readonly can: Capabilities;
}

const LANGUAGES: readonly Language[] = ['python', 'node'];
const PROTOCOLS: readonly Protocol[] = ['v1', 'v2', 'grpc'];
const CODECS: readonly CodecName[] = ['json', 'msgpack'];

function capabilities(language: Home, protocol: Protocol, codec: CodecName): Capabilities {
  const isPlainJson = protocol === 'v1' && codec === 'json';
  return {
    multiplexes: protocol !== 'v1',
    carriesAllValues: !isPlainJson,
    keepsTypes: protocol !== 'v1',
    carriesMinusZero: !isPlainJson,
    knowsSignatures: language !== 'node' && language !== 'fake',
    // Node cannot give descriptor 1 another file.
    guardsStdout: protocol !== 'v1' || language !== 'node',
    hasProcesses: language !== 'fake',
  };
}

const SPAWNED: readonly Combination[] = LANGUAGES.flatMap((language) =>
  PROTOCOLS.flatMap((protocol) =>
    CODECS.map((codec) => ({
      name: `${language}, ${protocol} ${codec}`,
      language,
      protocol,
      codec,
      zygote: false,
      can: capabilities(language, protocol, codec),
    })),
  ),
);

const FORKED: Combination = {
  name: 'python, v2 msgpack, zygote',
  language: 'python',
  protocol: 'v2',
  codec: 'msgpack',
  zygote: true,
  can: capabilities('python', 'v2', 'msgpack'),
};

/** Workers without processes, which stand in for all others in tests. */
const FAKES: readonly Combination[] = CODECS.map((codec) => ({
  name: `fake, v2 ${codec}`,
  language: 'fake',
  protocol: 'v2',
  codec,
  zygote: false,
  can: capabilities('fake', 'v2', codec),
}));

/** Every way to run the contract; each case runs in all of them. Zygotes need Linux. */
export const COMBINATIONS: readonly Combination[] = [
  ...SPAWNED,
  ...(process.platform === 'linux' ? [FORKED] : []),
  ...FAKES,
];

const otherLanguage = (language: OtherLanguage, codec: CodecName): Combination => ({
  name: `${language}, v2 ${codec}`,
  language,
  protocol: 'v2',
  codec,
  zygote: false,
  can: capabilities(language, 'v2', codec),
});

/** The ways that the core of the contract runs in beside {@link COMBINATIONS}: one codec for each language, the other one is for the golden vectors. */
export const CORE_COMBINATIONS: readonly Combination[] = [
  ...COMBINATIONS,
  otherLanguage('ruby', 'msgpack'),
  otherLanguage('go', 'msgpack'),
  otherLanguage('r', 'json'),
];

/** What stands in the traceback of a command of that language. */
export const SOURCE_FILES: Readonly<Record<Home, string>> = {
  python: 'commands.py',
  node: 'commands.js',
  fake: 'commands.js',
  ruby: 'commands.rb',
  go: 'main.go',
  r: 'commands.R',
};

const EXTENSIONS: Readonly<Record<Language, string>> = { python: 'py', node: 'js' };

/** The fixture of that name in a language, such as `contract/commands`. */
function moduleOf(language: Language, name: string): string {
  return fixture(`${name}.${EXTENSIONS[language]}`);
}

function fixture(path: string): string {
  return fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
}

interface FakeModule {
  readonly default?: FakeOptions['commands'];
  readonly onSessionClose?: NonNullable<FakeOptions['onSessionClose']>;
}

/** Commands for fakes by the name of the fixture: those of Node workers, unless they need a process. */
const FAKE_MODULES: Readonly<Record<string, FakeModule>> = {
  'contract/commands': await import(new URL('../fixtures/contract/fake-commands.js', import.meta.url).href),
  'contract/batches': await import(new URL('../fixtures/contract/batches.js', import.meta.url).href),
  'inputs/commands': await import(new URL('../fixtures/inputs/commands.js', import.meta.url).href),
};

/** The adapter whose workers serve the contract's commands. */
export function adapterOf(combination: Combination, name = 'contract/commands'): Adapter {
  if (combination.can.hasProcesses) return processAdapterOf(combination, name);
  const { default: commands, onSessionClose, ...named } = FAKE_MODULES[name] ?? {};
  return fake({ commands: commands ?? (named as FakeOptions['commands']), onSessionClose, codec: combination.codec });
}

/** Runs with JSON on descriptors find no MessagePack in Python. */
export function processAdapterOf(
  { language, protocol, codec, zygote }: Combination,
  name = 'contract/commands',
): ProcessAdapter {
  if (language === 'fake') throw new Error('fakes have no processes');
  if (language === 'ruby') return ruby({ module: fixture(`${name}.rb`), codec });
  if (language === 'go') return go({ package: fixture(name.replace('commands', 'go')) });
  if (language === 'r') return r({ module: fixture(`${name}.R`) });
  const module = moduleOf(language, name);
  const wire =
    protocol === 'grpc' ? ({ protocol: 'v2', transport: 'grpc', codec } as const) : ({ protocol, codec } as const);
  if (language === 'node') return node({ module, ...wire });
  const needsPackages = codec === 'msgpack' || protocol === 'grpc';
  return python({ module, ...wire, zygote, path: needsPackages ? [inject('pythonPackages')] : [] });
}

export interface RunningPool {
  readonly pool: PoolService;
  readonly snakepit: Snakepit;
  /** Everything logged so far. */
  readonly logs: LogRecord[];
  /** Kills a worker by SIGKILL, or as that does. */
  killWorker(id: string): void;
}

/** Starts a pool of the combination before the tests of a block and closes it after them. */
export function usePool(
  combination: Combination,
  options: Omit<PoolOptions, 'adapter'> = {},
  module = 'contract/commands',
): () => RunningPool {
  let running: RunningPool | undefined;
  beforeEach(({ task, skip }) => {
    const reason = impossibleIn(combination.language, task.name);
    if (reason !== undefined) skip(reason);
  });
  beforeAll(async () => {
    const logs: LogRecord[] = [];
    const adapter = adapterOf(combination, module);
    const snakepit = await createSnakepit({ adapter, size: 2, ...options }, { log: (record) => logs.push(record) });
    running = { snakepit, pool: snakepit.pool(), logs, killWorker: (id) => killWorker(adapter, snakepit.pool(), id) };
  });
  afterAll(() => running?.snakepit.close());
  return () => {
    if (running === undefined) throw new Error('the pool of this block is not started');
    return running;
  };
}

function killWorker(adapter: Adapter, pool: PoolService, id: string): void {
  if ('faults' in adapter) return void (adapter as FakeAdapter).faults.killWorker(id);
  const pid = pool.workers().find((worker) => worker.id === id)?.pid;
  if (pid === undefined) throw new Error(`there is no worker '${id}' with a process`);
  process.kill(pid, 'SIGKILL');
}

/** What tells one worker of a pool from another: its process's id where it has one. */
export function identitiesOf(pool: PoolService): (number | string)[] {
  return pool.workers().map(({ id, pid }) => pid ?? id);
}
