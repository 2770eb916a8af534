export { describeExit, type ExitCause } from './exit-cause.js';
export type { Adapter, LaunchContext, LaunchSpec } from './launch-spec.js';
export { INHERITED_VARIABLES, workerEnvironment, type EnvironmentParts } from './worker-environment.js';
export { isLegalMove, type DrainReason, type WorkerState, type WorkerStateKind } from './worker-state.js';
export { Worker, type OrphanedCall, type WorkerOwner, type WorkerParts, type WorkerSettings } from './worker.js';
