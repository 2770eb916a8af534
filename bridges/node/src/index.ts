export { SNAKEPIT_VERSION } from 'nestjs-snakepit/codec';
export type { Context, DataMap, Session, WorkerLog } from './context.js';
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
