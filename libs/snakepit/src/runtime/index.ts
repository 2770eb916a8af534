export { SNAKEPIT_VERSION } from '../core/version.js';
export {
  ERRORS,
  isSnakepitError,
  SnakepitError,
  subscribe,
  variableName,
  type Clock,
  type Delivery,
  type Environment,
  type ErrorCode,
  type ErrorDetails,
  type EventCall,
  type EventName,
  type EventPayloads,
  type LogCall,
  type LogLevel,
  type LogRecord,
  type LogSink,
  type RemoteFailure,
} from '../core/index.js';
export {
  custom,
  customOptionTable,
  go,
  goOptionTable,
  grpc,
  grpcOptionTable,
  node,
  nodeOptionTable,
  python,
  pythonOptionTable,
  ruby,
  rubyOptionTable,
  r,
  rOptionTable,
  type CustomOptions,
  type GoOptions,
  type GrpcOptions,
  type NodeOptions,
  type PythonOptions,
  type RubyOptions,
  type ROptions,
} from '../adapters/index.js';
export type { CommandManifest, TraceContext } from '../channel/index.js';
export type { BatchManifest } from '../codec/index.js';
export {
  batchOptionTable,
  POOL_PROFILES,
  poolOptionTable,
  type BatchOptions,
  type BatchStats,
  type CallOptions,
  type InputSource,
  type PoolMemory,
  type PoolOptions,
  type PoolProfile,
  type PoolStats,
  type PoolStatus,
  type Priority,
  type ProcessMemoryInfo,
  type WorkerInfo,
  type WorkerUsage,
} from '../pool/index.js';
export {
  applyChange,
  MemorySessionStore,
  openSession,
  SESSION_OPTIONS,
  SessionService,
  type GlobalWrite,
  type NewSession,
  type ReadOutcome,
  type Session,
  type SessionChange,
  type SessionInit,
  type SessionOptionsInput,
  type SessionStats,
  type SessionStore,
  type SessionStoreListener,
  type StoredChange,
  type StoreSize,
  type WriteOutcome,
} from '../session/index.js';
export {
  INHERITED_VARIABLES,
  type Adapter,
  type AttachSpec,
  type GrpcListenSpec,
  type GrpcTlsSpec,
  type InProcessSpec,
  type LaunchContext,
  type LaunchSpec,
  type ProcessAdapter,
  type WorkerSpec,
  type ZygoteSpec,
} from '../worker/index.js';
export { closeSignalScope, openSignalScope, runWithSignal, type AmbientSignal } from './ambient-signal.js';
export {
  alsContext,
  clsContext,
  type CaptureContext,
  type ClsLike,
  type ContextKeys,
  type ContextOptions,
  type ContextValues,
  type RunInContext,
} from './call-context.js';
export type { CallTrace, CallTracer, HostQuestion } from './call-tracer.js';
export { currentCallScope, inCallScope, type CallScope } from './call-scope.js';
export {
  DEFAULT_POOL,
  snakepitOptionTable,
  withEnvironment,
  type ManyPoolsOptions,
  type OnePoolOptions,
  type SnakepitOptions,
} from './options.js';
export { PoolService, type ExecuteOptions } from './pool-service.js';
export {
  executeProgramCommand,
  PROGRAM_COMMANDS,
  type ProgramCommand,
  type ProgramCommandParts,
} from './program-commands.js';
export { createSnakepit, Snakepit, type SnakepitContext } from './snakepit.js';
export type { ItemIterator } from './streams.js';
export { ToolContext, Tools, type Tool, type ToolOptions } from './tools/index.js';
