import type { ErrorBody, EventBody, LogBody } from '../codec/index.js';

/** What is asked of a bridge. */
export interface CallOrder {
  /** Its name; of v2 also an index of the manifest. */
  readonly command: string | number;
  /** Default: an empty map. */
  readonly args?: unknown;
  /** Encoded arguments, in the place of `args`; not over gRPC. */
  readonly body?: RawBody;
  readonly stream?: boolean;
  readonly deadlineMs?: number;
  readonly meta?: Readonly<Record<string, unknown>>;
  /** Name the command in the meta instead of by its index; v2. */
  readonly isNamed?: boolean;
  /** The call's id; default: the next that is free. v2. */
  readonly id?: number;
  /** What the worker may read while it runs. */
  readonly input?: Buffer;
}

/** An encoded value. */
export interface RawBody {
  readonly bytes: Buffer;
  readonly tagged: boolean;
}

export type Outcome =
  | { readonly kind: 'result'; readonly value: unknown; readonly serviceUs: number; readonly body?: RawBody }
  | { readonly kind: 'end'; readonly serviceUs: number }
  | { readonly kind: 'error'; readonly error: ErrorBody; readonly serviceUs: number };

/** One call, and all that came of it so far. */
export class OpenCall {
  id = 0;
  outcome: Outcome | undefined;
  readonly chunks: unknown[] = [];
  readonly progress: unknown[] = [];
  readonly logs: LogBody[] = [];
  readonly events: EventBody[] = [];
  /** What came, in order: `progress`, `log`, `event:NAME`, `chunk`, and last the kind of the outcome. */
  readonly history: string[] = [];
  /** How many chunks it may send. */
  granted: number;
  /** How much of its input was read. */
  inputAt = 0;

  constructor(
    readonly order: CallOrder,
    credit: number,
  ) {
    this.granted = credit;
  }

  get session(): string | undefined {
    const session = this.order.meta?.['session'];
    return typeof session === 'string' ? session : undefined;
  }

  /** @returns what is wrong with it, if anything */
  addChunk(value: unknown): string | undefined {
    this.chunks.push(value);
    this.history.push('chunk');
    if (this.order.stream !== true) return 'a chunk for a call that takes no stream';
    if (this.chunks.length <= this.granted) return undefined;
    return `chunk number ${this.chunks.length} of a stream that was granted ${this.granted}`;
  }

  addProgress(value: unknown): void {
    this.progress.push(value);
    this.history.push('progress');
  }

  addLog(record: LogBody): void {
    this.logs.push(record);
    this.history.push('log');
  }

  addEvent(event: EventBody): void {
    this.events.push(event);
    this.history.push(`event:${event.name}`);
  }

  settle(outcome: Outcome): void {
    this.outcome = outcome;
    this.history.push(outcome.kind);
  }
}
