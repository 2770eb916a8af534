import type { JsonValue } from './json-value.js';
import { describeDifferences, differencesOf } from './difference.js';
import { keyOf, type RecordedCall, type Recording } from './recording.js';

type Asked = Pick<RecordedCall, 'command' | 'kind' | 'args'>;

/** Finds the recorded call for one that is made. */
export class Library {
  readonly #file: string;
  readonly #calls: readonly RecordedCall[];
  readonly #byKey = new Map<string, RecordedCall[]>();
  readonly #turns = new Map<string, number>();

  constructor(file: string, { calls }: Recording) {
    this.#file = file;
    this.#calls = calls;
    for (const call of calls) {
      const key = keyOf(call);
      const same = this.#byKey.get(key);
      if (same === undefined) this.#byKey.set(key, [call]);
      else same.push(call);
    }
  }

  /** Same calls get what was recorded one after the other, the last one for good; undefined: there is none. */
  take(asked: Asked): RecordedCall | undefined {
    const key = keyOf(asked);
    const same = this.#byKey.get(key);
    if (same === undefined) return undefined;
    const turn = this.#turns.get(key) ?? 0;
    this.#turns.set(key, turn + 1);
    return same[Math.min(turn, same.length - 1)];
  }

  /** Why there is none, and what comes near it. */
  explain({ command, kind, args }: Asked): string {
    const made = `'${command}' was called with ${textOf(args)}`;
    const remedy = `Record it anew: run the tests once with SNAKEPIT_REFRESH=1.`;
    const ofCommand = this.#calls.filter((call) => call.command === command);
    const ofKind = ofCommand.filter((call) => call.kind === kind);
    if (ofKind.length === 0) {
      const names = [...new Set(this.#calls.map((call) => call.command))].join(', ') || 'none';
      const other = ofCommand.length > 0 ? ` It is there as a ${ofCommand[0]!.kind}.` : ` Recorded are: ${names}.`;
      return `${made}, and ${this.#file} has no ${kind} of it.${other} ${remedy}`;
    }
    const nearest = ofKind
      .map((call) => differencesOf(call.args, args))
      .reduce((best, each) => (each.length < best.length ? each : best));
    return `${made}, which is not in ${this.#file}. The nearest of its ${ofKind.length} recorded calls differs:${describeDifferences(nearest)}\n${remedy}`;
  }
}

function textOf(args: JsonValue): string {
  const text = JSON.stringify(args);
  return text.length > 200 ? `${text.slice(0, 197)}...` : text;
}
