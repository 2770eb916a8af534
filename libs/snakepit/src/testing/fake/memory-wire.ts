import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers';

/** As much as the kernel takes for a socket before a writer has to wait. */
const ROOM_BYTES = 256 * 1024;

/** What a worker at the other end does with what it is sent. */
export interface FarEnd {
  read(bytes: Buffer): void;
  /** The host has closed the connection. */
  closed(): void;
}

/**
 * A connection within the process: the host's end, and the worker's as {@link MemoryWire.farSocket}.
 *
 * Bytes arrive in a later turn of the event loop and as copies, so that neither end can tell it from a socket.
 */
export class MemoryWire extends EventEmitter {
  /** How the worker writes. */
  readonly farSocket = {
    write: (bytes: Buffer, onTaken: () => void): void => {
      if (!this.#hasHungUp) this.#toHost.push(Buffer.from(bytes));
      onTaken();
      this.#schedule();
    },
    end: (onEnded: () => void): void => {
      this.#onFarEnd = onEnded;
      this.#schedule();
    },
  };
  readonly #far: FarEnd;
  readonly #toFar: Buffer[] = [];
  readonly #toHost: Buffer[] = [];
  #bytesToFar = 0;
  #isFull = false;
  #isScheduled = false;
  #isReading = true;
  #isClosed = false;
  #hasHungUp = false;
  #onFarEnd: (() => void) | undefined;

  constructor(far: FarEnd) {
    super();
    this.#far = far;
  }

  write(bytes: Buffer, onTaken: () => void = () => {}): boolean {
    if (this.#isClosed) return true;
    this.#toFar.push(Buffer.from(bytes));
    onTaken();
    this.#bytesToFar += bytes.length;
    this.#isFull = this.#bytesToFar > ROOM_BYTES;
    this.#schedule();
    return !this.#isFull;
  }

  /** Closed by the host: nothing goes either way any more. */
  destroy(): void {
    if (this.#isClosed) return;
    this.#forget();
    setImmediate(() => {
      this.emit('close');
      this.#far.closed();
    });
  }

  /** The worker is gone, and its end with it: what it has written arrives, then the end does, and `onGone` is called. */
  hangUp(onGone: () => void): void {
    this.#hasHungUp = true;
    setImmediate(() => {
      this.#deliverToHost();
      if (!this.#isClosed) {
        this.#forget();
        this.emit('end');
      }
      onGone();
    });
  }

  /** A worker that is busy or stopped reads nothing, and answers nothing. */
  setReading(isReading: boolean): void {
    this.#isReading = isReading;
    if (isReading) this.#schedule();
  }

  #forget(): void {
    this.#isClosed = true;
    this.#toFar.length = 0;
    this.#toHost.length = 0;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed || this.#hasHungUp) return;
    this.#isScheduled = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#isScheduled = false;
    if (this.#isClosed || this.#hasHungUp || !this.#isReading) return;
    const arrived = this.#toFar.splice(0);
    this.#bytesToFar = 0;
    this.#deliverToHost();
    for (const bytes of arrived) if (!this.#isClosed) this.#far.read(bytes);
    if (this.#isClosed || this.#hasHungUp) return;
    if (this.#isFull) {
      this.#isFull = false;
      this.emit('drain');
    }
    if (this.#onFarEnd !== undefined && this.#toHost.length === 0) this.#onFarEnd();
  };

  #deliverToHost(): void {
    for (const bytes of this.#toHost.splice(0)) if (!this.#isClosed) this.emit('data', bytes);
  }
}
