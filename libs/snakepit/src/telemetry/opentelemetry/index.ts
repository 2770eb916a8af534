export { Attribute as SPAN_ATTRIBUTES } from './attributes.js';
export { SnakepitIdGenerator, type IdGenerator } from './id-generator.js';
export { SnakepitInstrumentation, type SnakepitInstrumentationOptions } from './snakepit-instrumentation.js';
export { SnakepitOpenTelemetryModule } from './snakepit-opentelemetry.module.js';
