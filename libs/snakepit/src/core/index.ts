export { unwatchAbort, watchAbort } from './abort.js';
export { Ambient } from './ambient.js';
export { MAX_BATCH_SIZE, MAX_BATCH_WAIT_MS } from './batch-bounds.js';
export type { CallMeter, CallMeters } from './call-meter.js';
export { systemClock, type Clock, type Timer } from './clock.js';
export { DeadlineSweep, type DeadlineBucket, type Expiring } from './deadline-sweep.js';
export {
  ERRORS,
  isSnakepitError,
  SnakepitError,
  toError,
  type Delivery,
  type ErrorCode,
  type ErrorDetails,
  type RemoteFailure,
  type SnakepitErrorOptions,
} from './errors.js';
export { hasListeners, publish, subscribe, type EventCall, type EventName, type EventPayloads } from './events.js';
export { LOG_LEVELS, silentLog, type LogCall, type LogLevel, type LogRecord, type LogSink } from './logger.js';
export { variableName, withVariables, type Environment, type VariableRules } from './option-variables.js';
export {
  assertKnownKeys,
  describeValue,
  isPlainObject,
  option,
  resolveOptions,
  type OptionsInput,
  type OptionSpec,
  type OptionsResolved,
  type OptionTable,
  type TextForm,
} from './option-table.js';
