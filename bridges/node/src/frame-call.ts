import { Kind, MAX_SERVICE_US, type ErrorBody } from 'nestjs-snakepit/codec';

import { HostedCall, type HostLink } from './hosted-call.js';
import type { Outlet } from './outlet.js';

/** Whose calls come as frames. */
export interface FrameLink extends HostLink {
  readonly outlet: Outlet;
}

/** A call that came as a frame, and is answered by frames. */
export class FrameCall extends HostedCall {
  declare readonly uplink: FrameLink;

  override sendResult(value: unknown): void {
    if (this.wantsStream) {
      this.#sendChunk('result', value);
      this.sendEnd();
    } else {
      this.uplink.outlet.send(Kind.RESULT, this.#serviceTime(), this.callId, value, 'result');
    }
  }

  override sendChunk(value: unknown): void {
    this.#sendChunk('chunk', value);
  }

  override sendEnd(): void {
    this.uplink.outlet.sendEmpty(Kind.END, this.#serviceTime(), this.callId);
  }

  override measure(value: unknown): number {
    return this.uplink.outlet.measure(value);
  }

  override get maxFrameBytes(): number {
    return this.uplink.outlet.maxFrameBytes;
  }

  override sendError(error: ErrorBody): void {
    this.uplink.outlet.sendError(Kind.ERROR, this.#serviceTime(), this.callId, error);
  }

  #sendChunk(root: string, value: unknown): void {
    this.uplink.outlet.send(Kind.CHUNK, 0, this.callId, value, root);
  }

  /** As the header can tell it. */
  #serviceTime(): number {
    return Math.min(MAX_SERVICE_US, this.serviceUs);
  }
}
