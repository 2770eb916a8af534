import { fileURLToPath } from 'node:url';

import type { BridgeProtocol, Group } from '../../libs/snakepit/src/conformance/index.js';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

/** What depends on the codec; the rest need not be proved twice. */
const WHAT_CODECS_DO: readonly Group[] = ['calls', 'values', 'errors', 'binary'];

export interface BridgeRun {
  readonly protocol: BridgeProtocol;
  /** Absent: what is picked, or negotiated. */
  readonly codec?: 'json' | 'msgpack';
  /** Absent: all. */
  readonly groups?: readonly Group[];
}

/** A bridge, and how it is checked. */
export interface BridgeUnderTest {
  readonly name: string;
  /** Starts its conformance worker, from the top of the repository. */
  readonly command: string;
  /** Where v1 needs other arguments. */
  readonly v1Command?: (codec: 'auto' | 'json' | 'msgpack') => string;
  /** Folders for PYTHONPATH and the like. */
  readonly env?: (packages: string) => Readonly<Record<string, string>>;
  readonly runs: readonly BridgeRun[];
  /** Made before the first run: a program that has to be compiled. */
  readonly build?: { readonly command: string; readonly args: readonly string[]; readonly cwd: string };
  /** What the language cannot do, by the names of the cases; each must fail, lest this list grows old. */
  readonly cannot?: readonly string[];
}

const PYTHON = 'python3 -m snakepit_bridge.worker --module test/fixtures/conformance/python/conformance_worker.py';
const NODE = 'node bridges/node/dist/worker.js --module test/fixtures/conformance/node/conformance-worker.mjs';

const RUBY = 'ruby bridges/ruby/exe/snakepit-ruby-worker --module bridges/ruby/conformance/worker.rb';
const R = 'sh bridges/r/inst/launch.sh Rscript bridges/r/inst/worker.R --module bridges/r/conformance/worker.R';
const GO = 'node_modules/.cache/snakepit-conformance/go-worker';

const EVERYTHING: readonly BridgeRun[] = [
  { protocol: 'v2', codec: 'msgpack' },
  { protocol: 'v2', codec: 'json', groups: WHAT_CODECS_DO },
  { protocol: 'grpc', codec: 'msgpack' },
  { protocol: 'grpc', codec: 'json', groups: ['values', 'binary'] },
  { protocol: 'v1' },
  { protocol: 'v1', codec: 'json' },
];

export const BRIDGES: readonly BridgeUnderTest[] = [
  {
    name: 'Python',
    command: PYTHON,
    v1Command: (codec) => `${PYTHON} --protocol ${codec}`,
    env: (packages) => ({ PYTHONPATH: `bridges/python:${packages}` }),
    runs: EVERYTHING,
  },
  {
    name: 'Node',
    command: NODE,
    v1Command: (codec) => `${NODE} --protocol ${codec}`,
    runs: EVERYTHING,
  },
  {
    name: 'Ruby',
    command: RUBY,
    v1Command: (codec) => `${RUBY} --protocol ${codec}`,
    runs: EVERYTHING.filter(({ protocol }) => protocol !== 'grpc'),
  },
  {
    name: 'Go',
    command: GO,
    build: { command: 'go', args: ['build', '-o', `../../${GO}`, './conformance'], cwd: 'bridges/go' },
    runs: EVERYTHING.filter(({ protocol }) => protocol === 'v2'),
  },
  {
    name: 'R',
    command: R,
    runs: [{ protocol: 'v2', codec: 'json' }],
    cannot: [
      // Texts in R hold no U+0000.
      'string with a NUL',
      'what a command prints goes to stdout and stderr, and disturbs nothing',
      // R has no way to hear of SIGTERM, which ends it.
      'SIGTERM ends an idle worker with status 0',
      'SIGTERM ends a worker whose command runs',
    ],
  },
  {
    name: 'Perl, written from PROTOCOL.md',
    command: 'perl test/fixtures/conformance/perl/worker.pl',
    runs: [{ protocol: 'v2', codec: 'json' }],
  },
];
