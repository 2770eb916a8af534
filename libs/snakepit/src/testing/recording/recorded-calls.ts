import type { CommandManifest } from '../../channel/index.js';
import { keyOf, RECORDING_FORMAT, writeRecording, type RecordedCall } from './recording.js';

/** What this process has recorded for one file, by all adapters that record into it. */
export class RecordedCalls {
  readonly #file: string;
  /** By what was asked; in the order in which it was asked. */
  readonly #calls = new Map<string, (RecordedCall | undefined)[]>();
  #commands: readonly CommandManifest[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  learn(commands: readonly CommandManifest[] | undefined): void {
    if (commands !== undefined) this.#commands = commands;
  }

  /** `turn` counts the calls of the same key that one adapter has seen, so that the same test run again writes the same. */
  add(call: RecordedCall, turn: number): void {
    const key = keyOf(call);
    const calls = this.#calls.get(key) ?? [];
    calls[turn] = call;
    this.#calls.set(key, calls);
  }

  /** Writes the file, ordered by command and arguments. */
  save(): void {
    const keys = [...this.#calls.keys()].toSorted();
    const calls = keys.flatMap((key) => (this.#calls.get(key) ?? []).flatMap((call) => call ?? []));
    const commands = this.#commands.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    writeRecording(this.#file, { format: RECORDING_FORMAT, commands, calls });
  }
}

/**
 * A file belongs to the process that records it: several applications of one test file, started one after the other, add to it. The
 * first one begins anew.
 */
const filesOfThisProcess = new Map<string, RecordedCalls>();

export function recordedCallsOf(file: string): RecordedCalls {
  let calls = filesOfThisProcess.get(file);
  if (calls === undefined) filesOfThisProcess.set(file, (calls = new RecordedCalls(file)));
  return calls;
}
