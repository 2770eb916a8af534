import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  node,
  python,
  type LogRecord,
  type PoolOptions,
  type ProcessAdapter,
  type PoolService,
} from 'nestjs-snakepit/core';
import type { Snakepit } from 'nestjs-snakepit/core';
import { afterAll, beforeAll, inject } from 'vitest';

export type Language = 'python' | 'node';
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
}

export interface Combination {
  readonly name: string;
  readonly language: Language;
  readonly protocol: Protocol;
  readonly codec: CodecName;
  /** Whether workers are forked from a zygote. */
  readonly zygote: boolean;
  readonly can: Capabilities;
}

const LANGUAGES: readonly Language[] = ['python', 'node'];
const PROTOCOLS: readonly Protocol[] = ['v1', 'v2', 'grpc'];
const CODECS: readonly CodecName[] = ['json', 'msgpack'];

function capabilities(language: Language, protocol: Protocol, codec: CodecName): Capabilities {
  const isPlainJson = protocol === 'v1' && codec === 'json';
  return {
    multiplexes: protocol !== 'v1',
    carriesAllValues: !isPlainJson,
    keepsTypes: protocol !== 'v1',
    carriesMinusZero: !isPlainJson,
    knowsSignatures: language === 'python',
    // Node cannot give descriptor 1 another file.
    guardsStdout: protocol !== 'v1' || language === 'python',
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

/** Every way to run the contract; each case runs in all of them. Zygotes need Linux. */
export const COMBINATIONS: readonly Combination[] = process.platform === 'linux' ? [...SPAWNED, FORKED] : SPAWNED;

const COMMANDS: Readonly<Record<Language, string>> = {
  python: fileURLToPath(new URL('../fixtures/contract/commands.py', import.meta.url)),
  node: fileURLToPath(new URL('../fixtures/contract/commands.js', import.meta.url)),
};

/** The adapter whose workers serve the contract's commands, or a module's. Runs with JSON on descriptors find no MessagePack in Python. */
export function adapterOf(
  { language, protocol, codec, zygote }: Combination,
  module = COMMANDS[language],
): ProcessAdapter {
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
}

/** Starts a pool of the combination before the tests of a block and closes it after them. */
export function usePool(
  combination: Combination,
  options: Omit<PoolOptions, 'adapter'> = {},
  module?: string,
): () => RunningPool {
  let running: RunningPool | undefined;
  beforeAll(async () => {
    const logs: LogRecord[] = [];
    const adapter = adapterOf(combination, module);
    const snakepit = await createSnakepit({ adapter, size: 2, ...options }, { log: (record) => logs.push(record) });
    running = { snakepit, pool: snakepit.pool(), logs };
  });
  afterAll(() => running?.snakepit.close());
  return () => {
    if (running === undefined) throw new Error('the pool of this block is not started');
    return running;
  };
}
