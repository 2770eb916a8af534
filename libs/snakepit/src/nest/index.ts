export * from '../runtime/index.js';
export type { ClientClass } from './clients/client.metadata.js';
export {
  poolClientOptionTable,
  poolCommandOptionTable,
  type PoolClientOptions,
  type PoolCommandOptions,
} from './clients/client.options.js';
export type {
  ClientCallOptions,
  Command,
  SessionCommand,
  SessionStreamCommand,
  StreamCommand,
} from './clients/client.types.js';
export { PoolClient } from './clients/pool-client.decorator.js';
export { PoolCommand } from './clients/pool-command.decorator.js';
export { commandArgs } from './commands/command-args.js';
export { SnakepitCommand } from './commands/command.decorator.js';
export { commandOptionTable, type SnakepitCommandOptions } from './commands/command.options.js';
export { CommandRunner } from './commands/command.runner.js';
export { SessionId } from './commands/session-id.decorator.js';
export { SnakepitDisconnectInterceptor } from './http/disconnect.interceptor.js';
export { eventStream, type EventStreamOptions } from './http/event-stream.js';
export { withHeartbeat } from './http/heartbeat.js';
export type { HttpAnswerOptions } from './http/answer-rules.js';
export { toErrorBody, type SnakepitErrorBody } from './http/error-body.js';
export { RequestStream } from './http/request-stream.decorator.js';
export { retryAfterSeconds } from './http/retry-after.js';
export { InjectPool, InjectPython, InjectSession } from './inject.decorators.js';
export { moduleOptionTable, type HttpStatuses, type SnakepitModuleExtras } from './module.options.js';
export { SnakepitExceptionFilter } from './snakepit-exception.filter.js';
export type {
  SnakepitModuleAsyncOptions,
  SnakepitModuleOptions,
  SnakepitOptionsFactory,
} from './snakepit.module-definition.js';
export { SnakepitModule } from './snakepit.module.js';
export { getPoolToken, getPythonToken } from './tokens.js';
export { SnakepitToolContext } from './tools/tool-context.decorator.js';
export { TOOL_CONTEXT_TYPE } from './tools/tool.caller.js';
export { SnakepitTool } from './tools/tool.decorator.js';
export { toolOptionTable, type SnakepitToolOptions } from './tools/tool.options.js';
