import type { ErrorBody } from '../../codec/index.js';
import type { BridgeCall, BridgeObserver } from './bridge.js';
import type { FakeWorker } from './context.js';

/** How a call of a fake went, as its worker knows. */
export type FakeOutcome =
  | { readonly kind: 'running' }
  | { readonly kind: 'result'; readonly value: unknown }
  /** A stream that has given all its items. */
  | { readonly kind: 'end' }
  /** Also of a call that was cancelled or came too late, whose `code` says so. */
  | { readonly kind: 'error'; readonly code: string; readonly type: string | undefined; readonly message: string }
  /** Its worker ended with it in its hands. */
  | { readonly kind: 'lost' };

/** One call that has reached a fake's command. */
export interface FakeCall {
  readonly command: string;
  /** As the command got them: decoded, and its own. */
  readonly args: unknown;
  /** The session's id. */
  readonly session: string | undefined;
  readonly context: Readonly<Record<string, string>>;
  /** The worker's id. */
  readonly worker: string;
  readonly kind: 'call' | 'stream';
  /** What a stream has given so far; the one result of a plain command that was called as a stream. */
  readonly items: readonly unknown[];
  readonly outcome: FakeOutcome;
}

type Entry = { -readonly [Key in keyof FakeCall]: FakeCall[Key] } & { readonly items: unknown[] };

interface Waiting {
  readonly command: string;
  readonly times: number;
  readonly resolve: (call: FakeCall) => void;
}

/** What was asked of a fake's commands, in the order in which they began. */
export class FakeJournal implements BridgeObserver {
  #entries: Entry[] = [];
  #waiting: Waiting[] = [];
  readonly #running = new Map<Entry, FakeWorker>();
  readonly #byCall = new WeakMap<object, Entry>();

  /** Calls of one command, or of all. */
  calls(command?: string): readonly FakeCall[] {
    return command === undefined ? [...this.#entries] : this.#entries.filter((entry) => entry.command === command);
  }

  /** Resolves when a command has been called so often since the last {@link clear}: with the call that made it so. */
  untilCalled(command: string, times: number): Promise<FakeCall> {
    const call = this.calls(command)[times - 1];
    if (call !== undefined) return Promise.resolve(call);
    return new Promise((resolve) => this.#waiting.push({ command, times, resolve }));
  }

  clear(): void {
    this.#entries = [];
  }

  onBegin(call: BridgeCall, worker: FakeWorker): void {
    const { command, args, meta, wantsStream } = call;
    const entry: Entry = {
      command,
      args,
      session: meta.session,
      context: meta.context ?? {},
      worker: worker.id,
      kind: wantsStream ? 'stream' : 'call',
      items: [],
      outcome: { kind: 'running' },
    };
    this.#entries.push(entry);
    this.#byCall.set(call, entry);
    this.#running.set(entry, worker);
    this.#waiting = this.#waiting.filter((waiting) => {
      const wanted = this.calls(waiting.command)[waiting.times - 1];
      if (wanted !== undefined) waiting.resolve(wanted);
      return wanted === undefined;
    });
  }

  onItem(call: BridgeCall, value: unknown): void {
    this.#byCall.get(call)?.items.push(value);
  }

  onResult(call: BridgeCall, value: unknown): void {
    this.#settle(call, { kind: 'result', value });
  }

  onEnd(call: BridgeCall): void {
    this.#settle(call, { kind: 'end' });
  }

  onError(call: BridgeCall, { code, type, message }: ErrorBody): void {
    this.#settle(call, { kind: 'error', code, type, message });
  }

  onWorkerEnded(ended: FakeWorker): void {
    for (const [entry, worker] of this.#running) if (worker === ended) this.#settleEntry(entry, { kind: 'lost' });
  }

  #settle(call: BridgeCall, outcome: FakeOutcome): void {
    const entry = this.#byCall.get(call);
    if (entry !== undefined) this.#settleEntry(entry, outcome);
  }

  #settleEntry(entry: Entry, outcome: FakeOutcome): void {
    if (this.#running.delete(entry)) entry.outcome = outcome;
  }
}
