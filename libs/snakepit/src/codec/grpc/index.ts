export { AncestorValues } from './ancestor-values.js';
export { CallRequestWriter, type CallRequestHead } from './call-request-writer.js';
export * from './generated/health.js';
export * from './generated/worker.js';
/** The ancestor's messages; the names of some are those of ours. */
export * as ancestor from './generated/snakepit-bridge.js';
/** Server reflection's messages, whose names say little by themselves. */
export * as reflection from './generated/reflection.js';
