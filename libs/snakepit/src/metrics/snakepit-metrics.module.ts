import {
  ConfigurableModuleBuilder,
  Inject,
  Injectable,
  Module,
  type DynamicModule,
  type OnApplicationShutdown,
} from '@nestjs/common';

import { Snakepit } from '../runtime/index.js';
import { metricsController } from './snakepit-metrics.controller.js';
import { SnakepitMetrics } from './snakepit-metrics.js';
import type { MetricsOptions } from './metrics-options.js';

const METRICS_OPTIONS = Symbol('SNAKEPIT_METRICS_OPTIONS');

/** What is said of the module itself, beside what is collected. */
export interface SnakepitMetricsExtras {
  /** A path at which the registry is served, such as `metrics`; default: none. The guards of the application apply. */
  endpoint: string | false;
}

const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } = new ConfigurableModuleBuilder<MetricsOptions>({
  optionsInjectionToken: METRICS_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setExtras<SnakepitMetricsExtras>({ endpoint: false }, withEndpoint)
  .build();

export type SnakepitMetricsModuleOptions = typeof OPTIONS_TYPE;
export type SnakepitMetricsModuleAsyncOptions = typeof ASYNC_OPTIONS_TYPE;

/** Takes the metrics out of the registry, which may be the process's, when the application is gone. */
@Injectable()
class MetricsLifecycle implements OnApplicationShutdown {
  constructor(@Inject(SnakepitMetrics) private readonly metrics: SnakepitMetrics) {}

  onApplicationShutdown(): void {
    this.metrics.close();
  }
}

/**
 * Counts the calls of all pools for Prometheus; import it beside `SnakepitModule`.
 *
 * @example
 * SnakepitMetricsModule.forRoot({ endpoint: 'metrics' })
 * SnakepitMetricsModule.forRootAsync({ inject: [Registry], useFactory: (registry: Registry) => ({ registry }) })
 */
@Module({
  providers: [
    {
      provide: SnakepitMetrics,
      useFactory: (snakepit: Snakepit, options: MetricsOptions) => new SnakepitMetrics(snakepit, options),
      inject: [Snakepit, METRICS_OPTIONS],
    },
    MetricsLifecycle,
  ],
  exports: [SnakepitMetrics],
})
export class SnakepitMetricsModule extends ConfigurableModuleClass {
  static override forRoot(options: SnakepitMetricsModuleOptions = {}): DynamicModule {
    return super.forRoot(options);
  }
}

function withEndpoint(definition: DynamicModule, { endpoint }: SnakepitMetricsExtras): DynamicModule {
  if (endpoint === false) return definition;
  return { ...definition, controllers: [metricsController(endpoint)] };
}
