import { toCallerError, type ChannelName } from '../../channel/remote-failure.js';
import type { ChannelCall } from '../../channel/index.js';
import type { Clock, SnakepitError, Timer } from '../../core/index.js';
import { Relay } from '../tap/relay.js';

/** The worker never answers it, nor heeds that it is to stop. */
export class HungCall extends Relay {
  override onResult(): void {}
  override onChunk(): void {}
  override onEnd(): void {}
  override onProgress(): void {}
  override onFailure(): void {}
  override cancel(): boolean {
    return true;
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
export class DelayedCall extends Relay {
  readonly #timers = new Set<Timer>();
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

  #later(tell: () => void): void {
    const timer = this.clock.after(this.ms, () => {
      this.#timers.delete(timer);
      tell();
    });
    this.#timers.add(timer);
  }

  #forget(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}

/** It is kept from the worker for as long as the pool is to look busy. */
export class KeptCall extends Relay {
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
