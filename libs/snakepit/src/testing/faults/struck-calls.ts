import { toCallerError, type ChannelName } from '../../channel/remote-failure.js';
import type { ChannelCall } from '../../channel/index.js';
import type { Clock, SnakepitError, Timer } from '../../core/index.js';
import { Relay } from '../tap/relay.js';

/** What a fault keeps, and lets go when it is cleared. */
export interface Held {
  release(): void;
}

/** The worker never answers it, nor heeds that it is to stop, unless it is let go. */
export class HungCall extends Relay implements Held {
  /** What the worker has said, though nobody hears it. */
  #unheard: (() => void)[] | undefined = [];

  override onResult(value: unknown, serviceUs: number): void {
    this.#keep(() => super.onResult(value, serviceUs));
  }

  override onChunk(value: unknown): void {
    this.#keep(() => super.onChunk(value));
  }

  override onEnd(serviceUs: number): void {
    this.#keep(() => super.onEnd(serviceUs));
  }

  override onProgress(value: unknown): void {
    this.#keep(() => super.onProgress(value));
  }

  override onFailure(error: SnakepitError, serviceUs: number): void {
    this.#keep(() => super.onFailure(error, serviceUs));
  }

  override cancel(): boolean {
    return this.#unheard !== undefined;
  }

  release(): void {
    const unheard = this.#unheard ?? [];
    this.#unheard = undefined;
    for (const tell of unheard) tell();
  }

  #keep(tell: () => void): void {
    if (this.#unheard === undefined) tell();
    else this.#unheard.push(tell);
  }
}

/** It fails without having reached the worker. */
export class FailedCall extends Relay {
  override readonly answersItself = true;

  constructor(
    original: ChannelCall,
    private readonly error: SnakepitError,
  ) {
    super(original);
  }

  override begin(): void {
    this.onFailure(this.error, 0);
  }
}

/** Whatever the worker says of it takes its time. */
export class DelayedCall extends Relay implements Held {
  /** What is yet to be told, in order. */
  readonly #pending = new Map<Timer, () => void>();
  #isAnswered = false;

  constructor(
    original: ChannelCall,
    private readonly ms: number,
    private readonly clock: Clock,
    private readonly name: ChannelName,
  ) {
    super(original);
  }

  override onResult(value: unknown, serviceUs: number): void {
    this.#isAnswered = true;
    this.#later(() => super.onResult(value, serviceUs));
  }

  override onChunk(value: unknown): void {
    this.#later(() => super.onChunk(value));
  }

  override onEnd(serviceUs: number): void {
    this.#isAnswered = true;
    this.#later(() => super.onEnd(serviceUs));
  }

  override onProgress(value: unknown): void {
    this.#later(() => super.onProgress(value));
  }

  override onFailure(error: SnakepitError, serviceUs: number): void {
    this.#isAnswered = true;
    this.#later(() => super.onFailure(error, serviceUs));
  }

  override cancel(): boolean {
    return this.#isAnswered;
  }

  override cancelled(): void {
    this.#forget();
    const body = { code: 'CANCELLED', message: 'the call was cancelled', started: true };
    super.onFailure(toCallerError(body, this.command, this.name), 0);
  }

  override lost(): void {
    this.#forget();
    super.lost();
  }

  release(): void {
    const pending = [...this.#pending.values()];
    this.#forget();
    for (const tell of pending) tell();
  }

  #later(tell: () => void): void {
    const timer = this.clock.after(this.ms, () => {
      this.#pending.delete(timer);
      tell();
    });
    this.#pending.set(timer, tell);
  }

  #forget(): void {
    for (const timer of this.#pending.keys()) timer.cancel();
    this.#pending.clear();
  }
}

/** It is kept from the worker for as long as the pool is to look busy. */
export class KeptCall extends Relay implements Held {
  override readonly answersItself = true;
  #isSent = false;

  constructor(
    original: ChannelCall,
    private readonly name: ChannelName,
  ) {
    super(original);
  }

  override cancel(): boolean {
    return !this.#isSent;
  }

  override cancelled(): void {
    const body = { code: 'CANCELLED', message: 'cancelled before it began', started: false };
    this.onFailure(toCallerError(body, this.command, this.name), 0);
  }

  /** Sends it after all. */
  release(): void {
    if (this.isSettled || this.#isSent) return;
    this.#isSent = true;
    this.port?.pass();
  }
}
