import {
  ConfigurableModuleBuilder,
  Inject,
  Injectable,
  Module,
  type DynamicModule,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';

import { Snakepit } from '../runtime/index.js';
import { metricsController } from './snakepit-metrics.controller.js';
import { SnakepitMetrics } from './snakepit-metrics.js';
import type { MetricsOptions } from './metrics-options.js';

const METRICS_OPTIONS = Symbol('SNAKEPIT_METRICS_OPTIONS');
const METRICS_ENDPOINT = Symbol('SNAKEPIT_METRICS_ENDPOINT');

/** What is said of the module itself, beside what is collected. */
export interface SnakepitMetricsExtras {
  /**
   * A path at which the registry is served, such as `metrics`; the guards of the application apply. `false`: none, the application serves the
   * registry itself. Left out, it is not served either, and a warning at the start says so.
   */
  endpoint: string | false | undefined;
}

const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } = new ConfigurableModuleBuilder<MetricsOptions>({
  optionsInjectionToken: METRICS_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setExtras<SnakepitMetricsExtras>({ endpoint: undefined }, withEndpoint)
  .build();

export type SnakepitMetricsModuleOptions = typeof OPTIONS_TYPE;
export type SnakepitMetricsModuleAsyncOptions = typeof ASYNC_OPTIONS_TYPE;

/** Says what nobody would see, and takes the metrics out of the registry, which may be the process's, when the application is gone. */
@Injectable()
class MetricsLifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(
    @Inject(SnakepitMetrics) private readonly metrics: SnakepitMetrics,
    @Inject(Snakepit) private readonly snakepit: Snakepit,
    @Inject(METRICS_ENDPOINT) private readonly endpoint: string | false | undefined,
  ) {}

  onModuleInit(): void {
    if (this.endpoint !== undefined) return;
    this.snakepit.log({
      level: 'warn',
      message:
        "No route serves the metrics. SnakepitMetricsModule.forRoot({ endpoint: 'metrics' }) serves them at /metrics; " +
        "where the application serves prom-client's registry itself, say { endpoint: false }.",
    });
  }

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
  const providers = [...(definition.providers ?? []), { provide: METRICS_ENDPOINT, useValue: endpoint }];
  const controllers = endpoint === false || endpoint === undefined ? [] : [metricsController(endpoint)];
  return { ...definition, providers, controllers };
}
