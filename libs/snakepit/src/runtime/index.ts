export { SNAKEPIT_VERSION } from '../core/version.js';
export {
  ERRORS,
  isSnakepitError,
  SnakepitError,
  subscribe,
  type Clock,
  type Delivery,
  type ErrorCode,
  type ErrorDetails,
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
  grpc,
  grpcOptionTable,
  node,
  nodeOptionTable,
  python,
  pythonOptionTable,
  type CustomOptions,
  type GrpcOptions,
  type NodeOptions,
  type PythonOptions,
} from '../adapters/index.js';
export type { CommandManifest } from '../channel/index.js';
export {
  poolOptionTable,
  type CallOptions,
  type PoolMemory,
  type PoolOptions,
  type PoolStats,
  type PoolStatus,
  type Priority,
  type ProcessMemoryInfo,
  type WorkerInfo,
  type WorkerUsage,
} from '../pool/index.js';
export {
  MemorySessionStore,
  SESSION_OPTIONS,
  SessionService,
  type Session,
  type SessionChange,
  type SessionInit,
  type SessionOptionsInput,
  type SessionStats,
  type SessionStore,
} from '../session/index.js';
export {
  INHERITED_VARIABLES,
  type Adapter,
  type AttachSpec,
  type GrpcListenSpec,
  type GrpcTlsSpec,
  type LaunchContext,
  type LaunchSpec,
  type ProcessAdapter,
  type WorkerSpec,
  type ZygoteSpec,
} from '../worker/index.js';
export {
  DEFAULT_POOL,
  snakepitOptionTable,
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
