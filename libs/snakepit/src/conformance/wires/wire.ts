import type { CodecName, CommandManifest, EventBody, LogBody } from '../../codec/index.js';
import type { FakeHost } from '../fake-host.js';
import type { Beginning } from './beginning.js';
import type { CallOrder, OpenCall } from '../open-call.js';

/** What a bridge said of itself; v1 bridges say only their codec. */
export interface Manifest {
  readonly codec: CodecName;
  readonly language?: string;
  readonly runtime?: { readonly name: string; readonly version: string };
  readonly sdk?: { readonly name: string; readonly version: string };
  readonly pid?: number;
  /** Undefined where the protocol has no manifest. */
  readonly commands?: readonly CommandManifest[];
  readonly answersWhileBusy: boolean;
  readonly typedArrays: boolean;
  readonly batches: boolean;
}

/** What the host's hello says, and what v1's host goes by. */
export interface WireSettings {
  /** In order of preference; v1 negotiates when there are two. */
  readonly codecs: readonly CodecName[];
  readonly maxFrameBytes: number;
  readonly maxDepth: number;
  readonly streamCredit: number;
  /** How long an answer may take. */
  readonly answerMs: number;
  /** How long a bridge may take to its hello; languages that compile at their start need it. */
  readonly helloMs: number;
  /** Members of v2's hello besides, or in the place of, what is known. */
  readonly hello?: Readonly<Record<string, unknown>>;
}

/** Whom a wire tells what came. */
export interface WireOwner {
  readonly host: FakeHost;
  /** Something has come, or the connection has ended. */
  onChange(): void;
  /** The bridge broke the protocol. */
  onViolation(reason: string): void;
}

/** One connection to one bridge process, in whatever protocol. */
export interface Wire {
  readonly manifest: Manifest;
  /** Log records and events that name no call. */
  readonly loose: { readonly logs: LogBody[]; readonly events: EventBody[] };
  /** Ids of the heartbeats that were answered, in order. */
  readonly pongs: readonly number[];
  readonly isClosed: boolean;
  /** Absent where the connection is not the kit's own. */
  readonly beginning?: Beginning;
  call(order: CallOrder): OpenCall;
  cancel(call: OpenCall, reason: 'caller' | 'deadline'): void;
  grant(call: OpenCall, chunks: number): void;
  /** @returns the id that is to come back, where the protocol has one */
  ping(): number;
  sessionClosed(session: string): void;
  /** Asks the bridge to finish and end; v1 has no word for it but the end of its stdin. */
  shutdown(): void;
  /** Ends the connection, as a host that is gone does. */
  close(): void;
}
