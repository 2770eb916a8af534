import { toCallerError } from '../../channel/remote-failure.js';
import type { ChannelCall, ChannelOwner } from '../../channel/index.js';
import type { Timer } from '../../core/index.js';
import type { TapContext } from '../../worker/index.js';
import { Relay } from '../tap/relay.js';
import { fromJson } from './json-value.js';
import { stepsOf, type RecordedCall, type RecordedStep } from './recording.js';

/** Answers a call by what was recorded, as far as its consumer takes it. */
export class PlayedCall extends Relay {
  override readonly answersItself = true;
  readonly #recorded: RecordedCall;
  readonly #context: TapContext;
  #credit: number;
  #onCredit: (() => void) | undefined;
  #timer: Timer | undefined;
  #beganAt = 0;

  constructor(original: ChannelCall, recorded: RecordedCall, context: TapContext) {
    super(original);
    this.#recorded = recorded;
    this.#context = context;
    this.#credit = context.streamCredit;
  }

  override begin(): void {
    this.#beganAt = this.#context.clock.now();
    void this.#play();
  }

  override grant(chunks: number): void {
    this.#credit += chunks;
    this.#onCredit?.();
  }

  override cancelled(): void {
    this.#timer?.cancel();
    this.#fail({ code: 'CANCELLED', message: 'the call was cancelled', started: true });
  }

  override lost(): void {
    this.#timer?.cancel();
    super.lost();
  }

  async #play(): Promise<void> {
    for (const step of stepsOf(this.#recorded)) {
      await this.#until(step.afterMs);
      await this.#do(step);
      if (this.isSettled) return;
    }
    await this.#until(this.#recorded.afterMs);
    this.#end();
  }

  async #do(step: RecordedStep): Promise<void> {
    if ('progress' in step) return this.onProgress(fromJson(step.progress));
    if ('ask' in step) return this.#ask(step.ask);
    while (this.#credit === 0 && !this.isSettled) {
      await new Promise<void>((resolve) => {
        this.#onCredit = resolve;
      });
    }
    this.#credit -= 1;
    this.onChunk(fromJson(step.item));
  }

  /** What the host answers, and whether it can, has been taken into account when it was recorded. */
  async #ask({ method, args }: { readonly method: string; readonly args: RecordedCall['args'] }): Promise<void> {
    const owner: ChannelOwner = this.#context.owner;
    await owner.onHostCall({ method, args: fromJson(args), call: this.original }).catch(() => {});
  }

  #end(): void {
    const { error, end, result } = this.#recorded;
    if (error !== undefined) {
      const { data, ...others } = error;
      return this.#fail({ ...others, ...(data !== undefined && { data: fromJson(data) }) });
    }
    // One that was left goes on as long as nobody leaves it.
    if (end === 'left') return;
    if (this.kind === 'stream') return this.onEnd(0);
    this.onResult(fromJson(result ?? null), 0);
  }

  #fail(body: Parameters<typeof toCallerError>[0]): void {
    this.onFailure(toCallerError(body, this.command, this.#context.name), 0);
  }

  async #until(afterMs: number | undefined): Promise<void> {
    const { clock } = this.#context;
    const leftMs = afterMs === undefined ? 0 : this.#beganAt + afterMs - clock.now();
    if (leftMs <= 0 || this.isSettled) return;
    await new Promise<void>((resolve) => {
      this.#timer = clock.after(leftMs, resolve);
    });
  }
}
