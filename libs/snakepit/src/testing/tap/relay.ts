import type { CallKind, CallMeta, ChannelCall } from '../../channel/index.js';
import type { SnakepitError } from '../../core/index.js';

/** What a relay does with a call that it was put in the place of. */
export interface RelayPort {
  /** Sends it on to the worker after all. @throws what the channel's `send` throws */
  pass(): void;
  /** It is over. */
  onSettled(): void;
}

/** Stands for one call between a worker and its channel, and passes on what either says; its heirs say something else. */
export class Relay implements ChannelCall {
  readonly command: string;
  readonly args: unknown;
  readonly kind: CallKind;
  readonly meta: CallMeta | undefined;
  readonly deadline: number;
  /** It is not sent to the worker, unless it passes itself on. */
  readonly answersItself: boolean = false;
  port: RelayPort | undefined;
  #isSettled = false;

  constructor(readonly original: ChannelCall) {
    this.command = original.command;
    this.args = original.args;
    this.kind = original.kind;
    this.meta = original.meta;
    this.deadline = original.deadline;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  onResult(value: unknown, serviceUs: number): void {
    this.settle(() => this.original.onResult(value, serviceUs));
  }

  onChunk(value: unknown): void {
    if (!this.#isSettled) this.original.onChunk(value);
  }

  onEnd(serviceUs: number): void {
    this.settle(() => this.original.onEnd(serviceUs));
  }

  onProgress(value: unknown): void {
    if (!this.#isSettled) this.original.onProgress(value);
  }

  onFailure(error: SnakepitError, serviceUs: number): void {
    this.settle(() => this.original.onFailure(error, serviceUs));
  }

  /** In a later turn than `send`, for one that answers itself. */
  begin(): void {}

  /** Whether it takes care of that by itself, so that the worker is not told. */
  cancel(_reason: 'caller' | 'deadline'): boolean {
    return this.answersItself;
  }

  /** In a later turn than a `cancel` that it takes care of: the time to answer for the call. */
  cancelled(): void {}

  /** The host takes so many items more; for one that answers itself. */
  grant(_chunks: number): void {}

  /** Its worker is gone, and its owner settles it. */
  lost(): void {
    this.#isSettled = true;
  }

  /** What comes after it is not told any more. */
  protected settle(tell: () => void): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.port?.onSettled();
    tell();
  }
}
