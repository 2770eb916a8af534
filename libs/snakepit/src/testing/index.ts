export type { FakeCommand, FakeContext, FakeWorker } from './fake/context.js';
export { fake, type FakeAdapter } from './fake/fake-adapter.js';
export { fakeOptionTable, type FakeCommands, type FakeOptions } from './fake/fake-options.js';
export type { FakeCall, FakeOutcome } from './fake/journal.js';
export { ManualClock } from './manual-clock.js';
