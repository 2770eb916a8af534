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
}

const PYTHON = 'python3 -m snakepit_bridge.worker --module test/fixtures/conformance/python/conformance_worker.py';
const NODE = 'node bridges/node/dist/worker.js --module test/fixtures/conformance/node/conformance-worker.mjs';

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
    name: 'Perl, written from PROTOCOL.md',
    command: 'perl test/fixtures/conformance/perl/worker.pl',
    runs: [{ protocol: 'v2', codec: 'json' }],
  },
];
