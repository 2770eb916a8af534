import { resolveOptions } from '../../core/index.js';
import type { InProcessSpec } from '../../worker/index.js';
import { FaultDesk } from '../faults/fault-desk.js';
import type { FaultyAdapter } from '../faults/with-faults.js';
import { loadBridge, type BridgeCall, type BridgeHooks } from './bridge.js';
import type { FakeContext, FakeWorker } from './context.js';
import { checkCommands, fakeOptionTable, type FakeOptions, type ResolvedFakeOptions } from './fake-options.js';
import { FakeProcess, type FakeCast } from './fake-process.js';
import { FakeJournal, type FakeCall } from './journal.js';

/** Workers that live in the host's process, given wherever `python({ … })` or another adapter is. */
export interface FakeAdapter extends FaultyAdapter {
  /** Calls that have reached a command, in the order in which they began: all, or those of one command. */
  calls(command?: string): readonly FakeCall[];
  /** Resolves when a command has been called so often, by default once, since the last {@link clearCalls}. */
  untilCalled(command: string, times?: number): Promise<FakeCall>;
  /** Forgets the calls so far, between two tests of one application. */
  clearCalls(): void;
}

/**
 * An adapter that needs nothing but this process: the pool, its queue, supervision, sessions and errors are the real ones, and so is
 * the protocol; only the process and its socket are replaced.
 *
 * @example fake({ commands: { add: ({ a, b }) => a + b } })
 * @throws SnakepitError INVALID_OPTIONS
 */
export function fake(given: FakeOptions): FakeAdapter {
  const options = resolveOptions(fakeOptionTable, given, 'fake');
  checkCommands(options);
  const journal = new FakeJournal();
  const desk = new FaultDesk();
  return {
    name: 'fake',
    inProcess: true,
    defaultSize: options.workers,
    async prepare(): Promise<InProcessSpec> {
      const cast = await castOf(options, journal);
      return {
        language: 'fake',
        launch: (launch) => new FakeProcess(cast, launch),
        env: {},
        codec: options.codec,
        tap: desk.openTap,
      };
    },
    faults: desk,
    calls: (command) => journal.calls(command),
    untilCalled: (command, times = 1) => journal.untilCalled(command, times),
    clearCalls: () => journal.clear(),
  };
}

async function castOf(options: ResolvedFakeOptions, journal: FakeJournal): Promise<FakeCast> {
  return {
    bridge: await loadBridge(),
    exported: options.commands,
    origin: 'fake.commands',
    observer: journal,
    hooksOf: (worker) => hooksOf(options, worker),
    around: (process) => (call, run) => {
      journal.onBegin(call, process);
      const latencyMs = latencyOf(options, call);
      return latencyMs === 0 ? run() : runLater(process, latencyMs, call, run);
    },
    onEnded: (process) => journal.onWorkerEnded(process),
  };
}

function latencyOf({ latencyMs }: ResolvedFakeOptions, { command }: BridgeCall): number {
  return typeof latencyMs === 'number' ? latencyMs : (latencyMs[command] ?? 0);
}

/** A call that is cancelled meanwhile has been answered for when its command would begin. */
async function runLater(process: FakeProcess, ms: number, call: BridgeCall, run: () => unknown): Promise<unknown> {
  await process.delay(ms, call.signal);
  call.signal.throwIfAborted();
  return run();
}

function hooksOf(options: ResolvedFakeOptions, worker: FakeWorker): BridgeHooks {
  const { onStart, onShutdown, onSessionOpen, onSessionClose } = options;
  return {
    start: onStart ? [() => onStart(worker)] : [],
    shutdown: onShutdown ? [() => onShutdown(worker)] : [],
    sessionOpen: onSessionOpen ? [(session: FakeContext['session']) => onSessionOpen(session, worker)] : [],
    sessionClose: onSessionClose ? [(session) => onSessionClose(session, worker)] : [],
  };
}
