import { trace, type TracerProvider } from '@opentelemetry/api';

import { SNAKEPIT_VERSION } from '../../core/version.js';
import type { Snakepit } from '../../runtime/index.js';
import { OpenTelemetryTracer } from './opentelemetry-tracer.js';

export interface SnakepitInstrumentationOptions {
  /** Where spans are made; default: the provider that is registered globally, then or later. */
  readonly tracerProvider?: TracerProvider | undefined;
}

/**
 * Makes OpenTelemetry spans of the calls of a {@link Snakepit}, of what workers ask their host, and of what workers record by `ctx.span`.
 *
 * @example
 * const stop = new SnakepitInstrumentation().instrument(await createSnakepit(options));
 */
export class SnakepitInstrumentation {
  readonly #options: SnakepitInstrumentationOptions;

  constructor(options: SnakepitInstrumentationOptions = {}) {
    this.#options = options;
  }

  /**
   * Follows its calls from now on; returns what ends that.
   *
   * @throws SnakepitError MISUSE where they are followed already
   */
  instrument(snakepit: Snakepit): () => void {
    const { tracerProvider = trace } = this.#options;
    return snakepit.surroundings.trace(
      new OpenTelemetryTracer(tracerProvider.getTracer('nestjs-snakepit', SNAKEPIT_VERSION)),
    );
  }
}
