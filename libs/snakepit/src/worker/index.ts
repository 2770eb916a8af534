export { describeExit, type ExitCause } from './exit-cause.js';
export { canReadGroupMemory, readGroupMemory } from './group-memory.js';
export type { Adapter, LaunchContext, LaunchSpec, Sources, ZygoteSpec } from './launch-spec.js';
export { readProcessMemory, type ProcessMemory } from './process-memory.js';
export type { Launch, ProcessOptions, ProcessOwner, WorkerProcess } from './process.js';
export { RelaunchedProcess } from './relaunched-process.js';
export { SpawnedProcess } from './spawned-process.js';
export { INHERITED_VARIABLES, workerEnvironment, type EnvironmentParts } from './worker-environment.js';
export {
  isLegalMove,
  leavesInPeace,
  type DrainReason,
  type LeaveReason,
  type RecycleReason,
  type WorkerState,
  type WorkerStateKind,
} from './worker-state.js';
export { Worker, type OrphanedCall, type WorkerOwner, type WorkerParts, type WorkerSettings } from './worker.js';
export { ZygoteDoor } from './zygote-door.js';
export { Zygote, type ZygoteParts } from './zygote.js';
