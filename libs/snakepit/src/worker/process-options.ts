import type { LaunchSpec } from './launch-spec.js';
import type { LaunchOptions } from './process.js';

/** What a process is started with. */
export interface ProcessOptions extends LaunchOptions {
  readonly spec: LaunchSpec;
  /** Whether what it has forked may outlive it, as a zygote's workers do; default: false. */
  readonly isSurvived?: boolean;
}
