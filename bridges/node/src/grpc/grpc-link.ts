import type { LogBody } from 'nestjs-snakepit/codec';
import type { FailureInit } from 'nestjs-snakepit/codec/grpc';

import type { Call } from '../call.js';
import type { HostedCall, HostLink } from '../hosted-call.js';
import type { SessionTracker } from '../session-tracker.js';
import type { Grpc } from './load-grpc.js';
import type { Reply } from './reply.js';
import type { ValueCodec } from './value-codec.js';

/** A call as its link knows it. */
export interface RpcCall extends HostedCall {
  readonly reply: Reply;
  /** Messages about it that were sent on the control stream. */
  notices: number;
}

/** Whose calls come as RPCs: a host that is attached, or callers that are not. */
export interface GrpcLink extends HostLink {
  readonly grpc: Grpc;
  readonly values: ValueCodec;
  /** Chunks that a stream may send at first. */
  readonly streamCredit: number;
  /** The call is over, and its RPC had ended before. */
  release(call: RpcCall): void;
  /** A failure that metadata has no room for. */
  sendWhole(call: RpcCall, failure: FailureInit): void;
  /** Chunks of a stream have left this process. */
  written(call: RpcCall, chunks: number): void;
  /** The call has ended. */
  forget(call: RpcCall): void;
}

/** Callers without a control stream: a shell, for instance. */
export class Unattached implements GrpcLink {
  /** Never asked for a call by its id: these have none. */
  readonly running: Map<number, HostedCall> = new Map();
  /** Nobody would say that a session is over. */
  readonly sessions: SessionTracker | undefined = undefined;
  /** HTTP/2's flow control holds streams back: what has been written is granted anew. */
  readonly streamCredit = 64;

  constructor(
    readonly grpc: Grpc,
    readonly values: ValueCodec,
    private readonly grant: (call: RpcCall, chunks: number) => void,
  ) {}

  progress(): void {}

  log(call: Call | undefined, { level, message }: LogBody): void {
    process.stderr.write(`[${level}] ${call?.command ?? 'worker'}: ${message}\n`);
  }

  emit(): void {}

  ask(_: Call, method: string): Promise<unknown> {
    return Promise.reject(new Error(`'${method}' needs a host, and the caller has not attached as one`));
  }

  release(): void {}

  sendWhole(): void {}

  written(call: RpcCall, chunks: number): void {
    this.grant(call, chunks);
  }

  forget(): void {}
}
