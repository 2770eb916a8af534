export type { FakeCommand, FakeContext, FakeWorker } from './fake/context.js';
export { fake, type FakeAdapter } from './fake/fake-adapter.js';
export { fakeOptionTable, type FakeCommands, type FakeOptions } from './fake/fake-options.js';
export type { FakeCall, FakeOutcome } from './fake/journal.js';
export type { FaultError } from './faults/failure-of.js';
export type { Fault, FaultScope } from './faults/fault.js';
export type { CrashScope, Faults } from './faults/faults.js';
export { withFaults, type FaultyAdapter } from './faults/with-faults.js';
export { record, recordOptionTable, type RecordingAdapter, type RecordOptions } from './recording/record.js';
export type { Redact, RedactionPlace } from './recording/redaction.js';
export { replay, replayOptionTable, type ReplayingAdapter, type ReplayOptions } from './recording/replay.js';
export { ManualClock } from './manual-clock.js';
export { SnakepitTesting } from './nest/snakepit-testing.js';
export {
  SnakepitTestingModule,
  type SnakepitTestingSettings,
  type TestingPools,
} from './nest/snakepit-testing.module.js';
