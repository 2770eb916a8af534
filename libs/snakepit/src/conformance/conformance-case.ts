import type { CodecName } from '../codec/index.js';
import type { BridgeProgram, BridgeProtocol } from './bridge-program.js';
import type { Bridge } from './bridge.js';
import type { Manifest, WireSettings } from './wires/wire.js';

export const GROUPS = [
  'handshake',
  'calls',
  'values',
  'malformed values',
  'errors',
  'unknown commands',
  'streams',
  'credit',
  'cancel',
  'deadlines',
  'heartbeats',
  'context',
  'progress, logs, events',
  'tools and messages',
  'sessions',
  'binary',
  'batches',
  'input',
  'limits',
  'garbage',
  'several at once',
  'output',
  'grandchildren',
  'shutdown',
] as const;
export type Group = (typeof GROUPS)[number];

/** What a case may ask for besides the bridge it is given. */
export interface Stage {
  readonly program: BridgeProgram;
  readonly settings: WireSettings;
  readonly codec: CodecName;
  /** Starts a process, whose end is seen to, and lets the case shake hands. */
  spawn(settings?: Partial<WireSettings>): Bridge;
  /** Starts a process and shakes hands. */
  open(settings?: Partial<WireSettings>): Promise<Bridge>;
}

interface CommonCase {
  readonly group: Group;
  readonly name: string;
  /** Protocols that have it; default: v2 and gRPC. */
  readonly protocols?: readonly BridgeProtocol[];
  /** Options whose commands it needs. */
  readonly commands?: readonly string[];
  /** Why the bridge does not claim it; undefined: it does. */
  readonly unclaimed?: (manifest: Manifest) => string | undefined;
}

/** Runs in a process that others have used, and leaves it as good as new. */
export interface SharedCase extends CommonCase {
  readonly kind?: 'shared';
  run(bridge: Bridge): Promise<void>;
}

/** Has processes of its own. */
export interface OwnCase extends CommonCase {
  readonly kind: 'own';
  run(stage: Stage): Promise<void>;
}

/** Sends what is malformed, and may thereby end the process: then the next one gets another. */
export interface RiskyCase extends CommonCase {
  readonly kind: 'risky';
  run(bridge: Bridge): Promise<void>;
}

export type ConformanceCase = SharedCase | OwnCase | RiskyCase;

/** Thrown by a case that sees only while it runs that the bridge does not claim what it checks. */
export class NotClaimed extends Error {
  override readonly name = 'NotClaimed';
}
