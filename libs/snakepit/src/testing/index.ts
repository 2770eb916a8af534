export type { FakeCommand, FakeContext, FakeWorker } from './fake/context.js';
export { fake, type FakeAdapter } from './fake/fake-adapter.js';
export { fakeOptionTable, type FakeCommands, type FakeOptions } from './fake/fake-options.js';
export type { FakeCall, FakeOutcome } from './fake/journal.js';
export type { FaultError } from './faults/failure-of.js';
export type { Fault, FaultScope } from './faults/fault.js';
export type { CrashScope, Faults } from './faults/faults.js';
export { withFaults, type FaultyAdapter } from './faults/with-faults.js';
export { ManualClock } from './manual-clock.js';
