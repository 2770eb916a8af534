import type { ChannelCall } from '../../channel/index.js';
import type { Clock, SnakepitError } from '../../core/index.js';
import { Relay } from '../tap/relay.js';
import { toJson, type JsonValue } from './json-value.js';
import type { RecordedCall, RecordedError, RecordedStep } from './recording.js';
import type { Redact, RedactionPlace } from './redaction.js';

/** How calls are written down. */
export interface Pen {
  readonly redact: Redact;
  readonly keepsTimes: boolean;
  readonly clock: Clock;
  write(call: RecordedCall): void;
}

/** What a worker says for certain of a call; how else a call ends is the pool's affair, or chance. */
const ANSWERS = new Set(['REMOTE_ERROR', 'INVALID_ARGUMENTS', 'INVALID_RESULT', 'FRAME_TOO_LARGE']);

/** Passes a call on and writes down what comes of it. */
export class RecordingCall extends Relay {
  readonly #pen: Pen;
  readonly #args: JsonValue;
  readonly #steps: RecordedStep[] = [];
  readonly #beganAt: number;
  #isWritten = false;

  constructor(original: ChannelCall, args: JsonValue, pen: Pen) {
    super(original);
    this.#pen = pen;
    this.#args = args;
    this.#beganAt = pen.clock.now();
  }

  override onResult(value: unknown, serviceUs: number): void {
    this.#write({ result: this.#json(value, 'result') });
    super.onResult(value, serviceUs);
  }

  override onChunk(value: unknown): void {
    this.#step({ item: this.#json(value, 'item') });
    super.onChunk(value);
  }

  override onProgress(value: unknown): void {
    this.#step({ progress: this.#json(value, 'progress') });
    super.onProgress(value);
  }

  override onEnd(serviceUs: number): void {
    this.#write({ end: 'complete' });
    super.onEnd(serviceUs);
  }

  override onFailure(error: SnakepitError, serviceUs: number): void {
    if (ANSWERS.has(error.code)) this.#write({ error: this.#error(error) });
    super.onFailure(error, serviceUs);
  }

  /** A consumer that has seen enough: what comes from now on it does not want. */
  override cancel(reason: 'caller' | 'deadline'): boolean {
    if (this.kind === 'stream' && reason === 'caller') this.#write({ end: 'left' });
    return false;
  }

  /** The command has had its host do something. */
  asked(method: string, args: unknown): void {
    this.#step({ ask: { method, args: this.#json(args, 'ask') } });
  }

  #step(step: RecordedStep): void {
    if (!this.#isWritten) this.#steps.push({ ...step, ...this.#afterMs() });
  }

  #write(outcome: Pick<RecordedCall, 'result' | 'error' | 'end'>): void {
    if (this.#isWritten) return;
    this.#isWritten = true;
    const { command, kind } = this;
    const steps = this.#steps;
    const items = this.#pen.keepsTimes ? undefined : itemsOf(steps);
    this.#pen.write({
      command,
      kind,
      args: this.#args,
      ...(items === undefined ? { steps } : items.length > 0 || kind === 'stream' ? { items } : {}),
      ...outcome,
      ...this.#afterMs(),
    });
  }

  #afterMs(): { afterMs: number } | Record<string, never> {
    if (!this.#pen.keepsTimes) return {};
    return { afterMs: Math.round(this.#pen.clock.now() - this.#beganAt) };
  }

  #error({ code, details, remote }: SnakepitError): RecordedError {
    const { type, message, traceback, data } = remote ?? {
      type: undefined,
      message: String(details['reason']),
      traceback: '',
      data: undefined,
    };
    return this.#json({ code, type, message, traceback, data }, 'error') as unknown as RecordedError;
  }

  #json(value: unknown, part: RedactionPlace['part']): JsonValue {
    const kept = this.#pen.redact(value, { command: this.command, part });
    // Members that are not there are not written either.
    return toJson(part === 'error' ? membersOf(kept) : kept);
  }
}

function membersOf(error: unknown): unknown {
  return Object.fromEntries(Object.entries(error as object).filter(([, member]) => member !== undefined));
}

/** Undefined where there are other steps too. */
function itemsOf(steps: readonly RecordedStep[]): JsonValue[] | undefined {
  const items = steps.flatMap((step) => ('item' in step ? [step.item] : []));
  return items.length === steps.length ? items : undefined;
}
