import type { ErrorBody } from 'nestjs-snakepit/codec';
import { encodeFailure } from 'nestjs-snakepit/codec/grpc';

import type { CallInput } from '../call.js';
import { HostedCall } from '../hosted-call.js';
import { abridge, failureOf, MAX_FAILURE_BYTES, statusOf } from './failure-status.js';
import type { GrpcLink, RpcCall } from './grpc-link.js';
import type { Outcome, Reply } from './reply.js';

/** A call that came as an RPC, and is answered by it, or released where the RPC ended before. */
export class GrpcCall extends HostedCall implements RpcCall {
  declare readonly uplink: GrpcLink;
  notices = 0;

  constructor(
    input: CallInput,
    link: GrpcLink,
    readonly reply: Reply,
  ) {
    super(input, link);
  }

  override sendResult(value: unknown): void {
    const body = this.uplink.values.encode(value, 'result');
    if (this.reply.isOver) this.uplink.release(this);
    else this.reply.result(body, this.#outcome());
  }

  override sendChunk(value: unknown): void {
    this.reply.chunk(this.uplink.values.encode(value, 'chunk'));
  }

  override sendEnd(): void {
    if (this.reply.isOver) this.uplink.release(this);
    else this.reply.end(this.#outcome());
  }

  override measure(value: unknown): number {
    return this.uplink.values.encode(value, 'result').data?.length ?? 0;
  }

  override get maxFrameBytes(): number {
    return this.uplink.values.maxFrameBytes;
  }

  override sendError(error: ErrorBody): void {
    if (this.reply.isOver) return this.uplink.release(this);
    let failure = { ...failureOf(error, this.uplink.values), ...this.#outcome() };
    if (encodeFailure(failure).length > MAX_FAILURE_BYTES) {
      this.uplink.sendWhole(this, failure);
      failure = { ...abridge(failure), ...this.#outcome() };
    }
    this.reply.fail(statusOf(this.uplink.grpc, failure));
  }

  override end(): void {
    super.end();
    this.uplink.forget(this);
  }

  #outcome(): Outcome {
    const { serviceUs, notices } = this;
    return { serviceUs, notices };
  }
}
