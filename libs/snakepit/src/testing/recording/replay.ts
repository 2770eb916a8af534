import { resolve } from 'node:path';

import { option, resolveOptions, SnakepitError, type OptionsInput } from '../../core/index.js';
import { toCallerError } from '../../channel/remote-failure.js';
import type { ChannelCall, CommandManifest } from '../../channel/index.js';
import type { Adapter, OpenTap, TapContext } from '../../worker/index.js';
import { fake } from '../fake/fake-adapter.js';
import type { FakeCommand } from '../fake/context.js';
import { FailedCall } from '../faults/struck-calls.js';
import { adapterWithTap } from '../tap/adapter-with-tap.js';
import { passingOwner } from '../tap/passing-owner.js';
import { Relay } from '../tap/relay.js';
import { RelayingChannel } from '../tap/relaying-channel.js';
import { toJson } from './json-value.js';
import { Library } from './library.js';
import { PlayedCall } from './played-call.js';
import { fileOption, record, redactOption } from './record.js';
import { readRecording, stepsOf, type RecordedCall, type RecordedStep, type Recording } from './recording.js';
import { withoutBatches } from './single-calls.js';
import { takenArgs } from './taken-args.js';

/** How the SDK marks a function that is described. */
const OPTIONS = Symbol.for('snakepit.command');

function isAdapter(given: unknown): given is Adapter {
  return typeof (given as Partial<Adapter> | null | undefined)?.prepare === 'function';
}

/** Every option of `replay()`. */
export const replayOptionTable = {
  file: fileOption,
  redact: redactOption,
  onMiss: option.value(
    (given): given is 'fail' | Adapter => given === 'fail' || isAdapter(given),
    "'fail' or an adapter",
    {
      doc: 'What becomes of a call that was not recorded: it fails, or the workers of this adapter serve it, which are started with the pool then.',
      default: 'fail' as const,
    },
  ),
  source: option.value((given): given is Adapter | undefined => given === undefined || isAdapter(given), 'an adapter', {
    doc: 'The real workers that are recorded by `refresh`; they are not started otherwise.',
    default: undefined,
    defaultDoc: 'the adapter given as `onMiss`',
  }),
  refresh: option.boolean({
    doc: 'Records the file anew, by the real workers.',
    default: () => process.env['SNAKEPIT_REFRESH'] === '1',
    defaultDoc: 'whether the environment has SNAKEPIT_REFRESH=1',
  }),
  timing: option.boolean({
    doc: 'Whether answers take the time that they took, where the recording has it; `refresh` keeps times then.',
    default: false,
  }),
  workers: option.integer({
    doc: 'Number of workers of a pool whose `size` is not given.',
    unit: 'workers',
    min: 1,
    max: 1024,
    default: 2,
  }),
};

export type ReplayOptions = OptionsInput<typeof replayOptionTable>;

/** An adapter that answers by a recording. */
export interface ReplayingAdapter extends Adapter {
  /** Why calls so far were not served by the recording; empty after a test whose recording is whole. */
  readonly misses: readonly string[];
}

/**
 * Serves what {@link record} has written, in the host's process. The same calls get the same results, items, progress and errors, and what
 * they had the host do with the data of sessions is done again.
 *
 * A call that was not recorded fails with REMOTE_ERROR of type `ReplayMiss`, whose message tells the difference to the nearest one that was.
 *
 * @throws SnakepitError INVALID_OPTIONS; the start of the pool throws MISUSE for a file that cannot be read
 */
export function replay(given: ReplayOptions): ReplayingAdapter {
  const options = resolveOptions(replayOptionTable, given, 'replay');
  const { redact, onMiss, refresh, timing } = options;
  const file = resolve(options.file);
  const source = options.source ?? (onMiss === 'fail' ? undefined : onMiss);
  const misses: string[] = [];
  if (refresh) return { ...record(sourceOrRefuse(source), { file, redact, timing }), misses };

  const openTap: OpenTap = (context) => ({
    owner: passingOwner(context.owner),
    connect(channel) {
      const known = new Set(channel.manifest.commands?.map(({ name }) => name));
      const isUnknown = (call: ChannelCall): boolean => known.size > 0 && !known.has(call.command);
      // What no worker has is refused as by any other.
      const relay = (call: ChannelCall): Relay => (isUnknown(call) ? new Relay(call) : relayOf(call, context));
      const maker = { relayOf: relay, onAbandoned: () => {} };
      return new RelayingChannel(channel, maker, withoutBatches(channel.manifest));
    },
  });
  let library: Library | undefined;

  function relayOf(call: ChannelCall, context: TapContext): Relay {
    const { name } = context;
    const kept = redact(takenArgs(call, name.pool), { command: call.command, part: 'args' });
    const asked = { command: call.command, kind: call.kind, args: toJson(kept, 'sorted') };
    const recorded = library?.take(asked);
    if (recorded !== undefined) return new PlayedCall(call, timing ? recorded : withoutTimes(recorded), context);
    const message = library?.explain(asked) ?? '';
    misses.push(message);
    if (onMiss !== 'fail') return new Relay(call);
    return new FailedCall(
      call,
      toCallerError({ code: 'REMOTE_ERROR', type: 'ReplayMiss', message }, call.command, name),
    );
  }

  const fallback = onMiss === 'fail' ? undefined : adapterWithTap(onMiss, openTap);
  return {
    ...(fallback ?? { name: 'replay', inProcess: true, defaultSize: options.workers }),
    misses,
    async prepare(context) {
      const recording = readRecording(file);
      library = new Library(file, recording);
      const serving = fallback ?? adapterWithTap(fake({ commands: commandsOf(recording, file) }), openTap);
      return serving.prepare(context);
    },
  };
}

function sourceOrRefuse(source: Adapter | undefined): Adapter {
  if (source !== undefined) return source;
  const reason = "'replay.refresh' needs real workers to record: give their adapter as 'source', or as 'onMiss'.";
  throw new SnakepitError('INVALID_OPTIONS', { reason, option: 'replay.source' });
}

/** Commands that are known, as they were to the workers that were recorded; none of them is ever run. */
function commandsOf({ commands, calls }: Recording, file: string): Record<string, FakeCommand> {
  const listed = new Map<string, CommandManifest>(calls.map(({ command, kind }) => [command, { name: command, kind }]));
  for (const manifest of commands) listed.set(manifest.name, manifest);
  if (listed.size === 0) {
    throw new SnakepitError('MISUSE', {
      reason: `The recording ${file} is empty: nothing can be served by it. Record it anew.`,
    });
  }
  return Object.fromEntries([...listed.values()].map((manifest) => [manifest.name, stub(manifest)]));
}

function stub({ kind, ...manifest }: CommandManifest): FakeCommand {
  const command = (): never => {
    throw new Error(`'${manifest.name}' is served by a recording`);
  };
  return Object.defineProperty(command, OPTIONS, { value: { ...manifest, stream: kind === 'stream' } });
}

function withoutTimes(recorded: RecordedCall): RecordedCall {
  const { afterMs: _, ...untimed } = recorded;
  return { ...untimed, steps: stepsOf(recorded).map(({ afterMs: __, ...step }) => step as RecordedStep) };
}
