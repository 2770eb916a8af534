import type { ChannelSettings } from './open-channel.js';

export interface WorkerSettings extends ChannelSettings {
  readonly startTimeoutMs: number;
  readonly killGraceMs: number;
  readonly arena: {
    readonly enabled: boolean;
    readonly mapped: boolean;
    readonly bytes: number;
    readonly thresholdBytes: number;
  };
  readonly heartbeatIntervalMs: number;
  readonly heartbeatTimeoutMs: number;
  /** Records and lines of output per second. */
  readonly maxLogRate: number;
}
