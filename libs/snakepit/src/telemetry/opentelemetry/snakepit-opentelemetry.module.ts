import { Inject, Injectable, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';

import { Snakepit } from '../../runtime/index.js';
import { SnakepitInstrumentation, type SnakepitInstrumentationOptions } from './snakepit-instrumentation.js';

const OPTIONS = Symbol('options of SnakepitOpenTelemetryModule');

/** Follows the application's calls for as long as it lives. */
@Injectable()
class ApplicationTracing implements OnApplicationShutdown {
  readonly #stop: () => void;

  constructor(snakepit: Snakepit, @Inject(OPTIONS) options: SnakepitInstrumentationOptions) {
    this.#stop = new SnakepitInstrumentation(options).instrument(snakepit);
  }

  onApplicationShutdown(): void {
    this.#stop();
  }
}

/**
 * Makes OpenTelemetry spans of the application's calls; needs nothing but a registered TracerProvider. Where the SnakepitModule is not
 * global, import it beside this one.
 *
 * @example
 * imports: [SnakepitModule.forRoot(python({ module: './workers/report.py' })), SnakepitOpenTelemetryModule.forRoot()]
 */
@Module({})
export class SnakepitOpenTelemetryModule {
  static forRoot(options: SnakepitInstrumentationOptions = {}): DynamicModule {
    return {
      module: SnakepitOpenTelemetryModule,
      providers: [{ provide: OPTIONS, useValue: options }, ApplicationTracing],
    };
  }
}
