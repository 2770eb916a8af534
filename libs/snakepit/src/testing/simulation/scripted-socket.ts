import { EventEmitter } from 'node:events';

/** The host's end of a connection to a scripted worker: as much of a socket as a channel uses. */
export class ScriptedSocket extends EventEmitter {
  isDestroyed = false;
  /** Until when the worker reads nothing: the host's writes then find no room. */
  isFull = false;

  constructor(private readonly deliver: (bytes: Buffer, onTaken: () => void) => void) {
    super();
  }

  write(bytes: Buffer, onTaken: () => void = () => {}): boolean {
    if (!this.isDestroyed) this.deliver(bytes, onTaken);
    return !this.isFull;
  }

  /** What the worker sends. */
  receive(bytes: Buffer): void {
    if (!this.isDestroyed) this.emit('data', bytes);
  }

  drain(): void {
    this.isFull = false;
    if (!this.isDestroyed) this.emit('drain');
  }

  /** The worker's end is closed. */
  end(): void {
    if (!this.isDestroyed) this.emit('end');
  }

  destroy(): void {
    this.isDestroyed = true;
  }
}
