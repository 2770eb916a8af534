export { SNAKEPIT_VERSION } from 'nestjs-snakepit/codec';
export type { Context, DataMap, Pattern, Session, Tools, WorkerLog } from './context.js';
export { HostError, MessageError, ToolError } from './failures.js';
export type { MetricLabels, WorkerMetrics } from './metrics.js';
export {
  command,
  onSessionClose,
  onSessionOpen,
  onShutdown,
  onStart,
  type CommandOptions,
  type Handler,
} from './definition.js';
export type { DeclaredSchema, StandardJsonSchema } from './declared-schema.js';
export type { SpanAttributes } from './span-attributes.js';
export type { Span } from './spans.js';
