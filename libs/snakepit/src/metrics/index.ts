export * from './core.js';
export {
  SnakepitMetricsModule,
  type SnakepitMetricsExtras,
  type SnakepitMetricsModuleAsyncOptions,
  type SnakepitMetricsModuleOptions,
} from './snakepit-metrics.module.js';
