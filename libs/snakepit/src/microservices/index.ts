export { SnakepitContext, type SnakepitContextFacts } from './snakepit.context.js';
export type { SnakepitStatus, SnakepitTransportEvents, WorkerChange } from './pool-watch.js';
export { clientOptionTable, type SnakepitClientOptions } from './client.options.js';
export { provideSnakepitClient, SnakepitClient } from './snakepit.client.js';
export { SnakepitRecord, SnakepitRecordBuilder, type SnakepitRecordOptions } from './snakepit.record-builder.js';
export { serverOptionTable, type SnakepitServerOptions } from './server.options.js';
export { SnakepitServer } from './snakepit.server.js';
export { SNAKEPIT_TRANSPORT } from './transport.js';
