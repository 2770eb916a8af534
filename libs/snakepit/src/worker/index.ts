export { describeExit, type ExitCause } from './exit-cause.js';
export { AttachedProcess } from './attached-process.js';
export { BridgeProcess } from './bridge-process.js';
export { canReadGroupMemory, readGroupMemory } from './group-memory.js';
export { isGrpcBridge } from './launch-spec.js';
export type {
  Adapter,
  AttachSpec,
  GrpcListenSpec,
  GrpcTlsSpec,
  InProcessSpec,
  LaunchContext,
  LaunchSpec,
  ProcessAdapter,
  Sources,
  WorkerSpec,
  ZygoteSpec,
} from './launch-spec.js';
export { ProcessFolder } from './host-folder.js';
export { orphanGuard } from './orphan-guard.js';
export { checkPrivileges, hostSystem, privilegeOptionTable, type Privileges } from './privileges.js';
export { readProcessMemory, type ProcessMemory } from './process-memory.js';
export type { ProcessOptions } from './process-options.js';
export type { Launch, LaunchOptions, ProcessOwner, Wire, WorkerProcess } from './process.js';
export { readProcessUsage, type ProcessUsage } from './process-usage.js';
export { RelaunchedProcess } from './relaunched-process.js';
export { RESERVED_VARIABLES } from './reserved-variables.js';
export { SpawnedProcess } from './spawned-process.js';
export type { OpenTap, Tap, TapContext } from './tap.js';
export { createOneTimeTls, WORKER_TLS_NAME, type OneTimeTls, type TlsIdentity } from './tls/one-time-tls.js';
export { fairThreads } from './numeric-threads.js';
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
export type { WorkerSettings } from './worker-settings.js';
export { Worker, type OrphanedCall, type WorkerOwner, type WorkerParts } from './worker.js';
export { ZygoteDoor } from './zygote-door.js';
export { Zygote, type ZygoteParts } from './zygote.js';
