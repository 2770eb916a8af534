import type { ErrorBody } from 'nestjs-snakepit/codec';

import { Call, type Uplink } from './call.js';
import type { SessionTracker } from './session-tracker.js';

/** One host's connection, as far as the runner of its calls must know it. */
export interface HostLink extends Uplink {
  /** Calls that began and have not ended, by id; the synchronous one that runs right now excepted. */
  readonly running: Map<number, HostedCall>;
  /** Undefined where nobody would say that a session is over. */
  readonly sessions: SessionTracker | undefined;
}

/** A call that a host waits for: it knows how its outcome leaves. */
export abstract class HostedCall extends Call {
  /** Declared only: a field of its own would cost each call its initialization. */
  declare readonly uplink: HostLink;

  /** Microseconds since the command began. */
  get serviceUs(): number {
    return this.startedAt === 0 ? 0 : Math.round((performance.now() - this.startedAt) * 1000);
  }

  /** @throws EncodeError or FrameTooLarge, and nothing is sent */
  abstract sendResult(value: unknown): void;
  /** @throws EncodeError or FrameTooLarge, and nothing is sent */
  abstract sendChunk(value: unknown): void;
  abstract sendEnd(): void;
  /** How many bytes a value takes as a part of a result. @throws EncodeError or FrameTooLarge */
  abstract measure(value: unknown): number;
  abstract get maxFrameBytes(): number;
  /** Never fails: what cannot be sent of an error is left out. */
  abstract sendError(error: ErrorBody): void;
}
