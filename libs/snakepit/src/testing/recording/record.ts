import { resolve } from 'node:path';

import { option, resolveOptions, type OptionsInput } from '../../core/index.js';
import type { ChannelOwner, HostCall } from '../../channel/index.js';
import type { Adapter, OpenTap } from '../../worker/index.js';
import { adapterWithTap } from '../tap/adapter-with-tap.js';
import { passingOwner } from '../tap/passing-owner.js';
import { RelayingChannel, type RelayMaker } from '../tap/relaying-channel.js';
import { toJson } from './json-value.js';
import { keyOf } from './recording.js';
import { RecordingCall, type Pen } from './recording-call.js';
import { recordedCallsOf } from './recorded-calls.js';
import { REDACT_NOTHING, type Redact } from './redaction.js';
import { withoutBatches } from './single-calls.js';
import { takenArgs } from './taken-args.js';

const isRedact = (given: unknown): given is Redact => typeof given === 'function';

export const fileOption = option.value(
  (given: unknown): given is string => typeof given === 'string' && given !== '',
  'the path of a JSON file',
  { doc: 'The recording; relative paths start at the working directory.' },
);

export const redactOption = option.value(isRedact, 'a function', {
  doc: 'Gives what is to be written in place of a value, to keep secrets out. `record` and `replay` of one file take the same.',
  default: () => REDACT_NOTHING,
  defaultDoc: 'everything is written',
});

/** Every option of `record()`. */
export const recordOptionTable = {
  file: fileOption,
  redact: redactOption,
  timing: option.boolean({ doc: 'Whether to write when everything came.', default: false }),
};

export type RecordOptions = OptionsInput<typeof recordOptionTable>;

/** An adapter that writes down what its workers answer. */
export interface RecordingAdapter extends Adapter {
  /** Writes the file now; it is written anyway when the pool closes. */
  save(): void;
}

/**
 * Real workers, whose calls, streams and errors are written into a file that {@link replay} serves from then on. What the file held
 * before is replaced.
 *
 * Written are calls that a worker has answered, by an error too: not those that were cancelled, came too late or were lost with their worker.
 *
 * @throws SnakepitError INVALID_OPTIONS
 */
export function record(adapter: Adapter, given: RecordOptions): RecordingAdapter {
  const { file, redact, timing } = resolveOptions(recordOptionTable, given, 'record');
  const calls = recordedCallsOf(resolve(file));
  const turns = new Map<string, number>();
  let workers = 0;

  const openTap: OpenTap = ({ owner, clock, name }) => ({
    owner: notingOwner(owner),
    connect: (channel) => {
      workers += 1;
      calls.learn(channel.manifest.commands);
      const maker: RelayMaker = {
        relayOf: (call) => {
          const kept = redact(takenArgs(call, name.pool), { command: call.command, part: 'args' });
          const args = toJson(kept, 'sorted');
          const turn = turnOf(keyOf({ ...call, args }));
          const pen: Pen = { redact, keepsTimes: timing, clock, write: (recorded) => calls.add(recorded, turn) };
          return new RecordingCall(call, args, pen);
        },
        onAbandoned: () => {
          workers -= 1;
          if (workers === 0) calls.save();
        },
      };
      return new RelayingChannel(channel, maker, withoutBatches(channel.manifest));
    },
  });

  function turnOf(key: string): number {
    const turn = turns.get(key) ?? 0;
    turns.set(key, turn + 1);
    return turn;
  }

  return { ...adapterWithTap(adapter, openTap), save: () => calls.save() };
}

/** What has changed nothing needs not be done again. */
const READING = new Set(['session.read', 'session.keys']);

function notingOwner(owner: ChannelOwner): ChannelOwner {
  const passing = passingOwner(owner);
  return {
    ...passing,
    async onHostCall(hostCall) {
      const answer = await passing.onHostCall(hostCall);
      note(hostCall, answer);
      return answer;
    },
  };
}

function note({ call, method, args }: HostCall, answer: unknown): void {
  if (!(call instanceof RecordingCall) || READING.has(method)) return;
  const isInVain = method.startsWith('session.') && (answer as { written?: boolean } | null)?.written === false;
  if (!isInVain) call.asked(method, withoutRevision(method, args));
}

/** A later run has other revisions. */
function withoutRevision(method: string, args: unknown): unknown {
  if (!method.startsWith('session.') || typeof args !== 'object' || args === null) return args;
  const { revision: _, ...others } = args as Record<string, unknown>;
  return others;
}
