import type { CallInput } from './call.js';
import { processHooks, type Hooks } from './definition.js';
import type { FrameCall, FrameLink } from './frame-call.js';

/** What a worker lives in: a process of its own, or a part of its host's. */
export interface Home {
  readonly hooks: Hooks;
  /** Ends it; what comes after may or may not run. */
  exit(status: number): void;
  /** Makes the calls, where they are not plain ones. */
  readonly callOf?: (input: CallInput, link: FrameLink) => FrameCall;
}

/** The process that runs this. */
export const OWN_PROCESS: Home = {
  get hooks() {
    return processHooks();
  },
  exit: (status) => process.exit(status),
};
