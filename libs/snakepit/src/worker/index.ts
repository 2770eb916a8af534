export { describeExit, type ExitCause } from './exit-cause.js';
export { AttachedProcess } from './attached-process.js';
export type {
  Adapter,
  AttachSpec,
  GrpcListenSpec,
  GrpcTlsSpec,
  LaunchContext,
  LaunchSpec,
  ProcessAdapter,
  WorkerSpec,
  ZygoteSpec,
} from './launch-spec.js';
export { readProcessMemory, type ProcessMemory } from './process-memory.js';
export type { Launch, LaunchOptions, ProcessOptions, ProcessOwner, WorkerProcess } from './process.js';
export { RelaunchedProcess } from './relaunched-process.js';
export { SpawnedProcess } from './spawned-process.js';
export { createOneTimeTls, WORKER_TLS_NAME, type OneTimeTls, type TlsIdentity } from './tls/one-time-tls.js';
export { INHERITED_VARIABLES, workerEnvironment, type EnvironmentParts } from './worker-environment.js';
export { isLegalMove, type DrainReason, type WorkerState, type WorkerStateKind } from './worker-state.js';
export { Worker, type OrphanedCall, type WorkerOwner, type WorkerParts, type WorkerSettings } from './worker.js';
export { ZygoteDoor } from './zygote-door.js';
export { Zygote, type ZygoteParts } from './zygote.js';
