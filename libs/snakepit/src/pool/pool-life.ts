import { SnakepitError } from '../core/index.js';
import type { ToolRun } from './tool-run.js';

/** How far a pool is in its life: it is opened once, and takes calls until it drains. */
export class PoolLife {
  #state: 'new' | 'open' | 'draining' | 'closed' = 'new';

  constructor(private readonly pool: string) {}

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** @throws SnakepitError MISUSE where it was opened, or drained, before. */
  open(): void {
    if (this.#state !== 'new') throw new SnakepitError('MISUSE', { reason: `Pool '${this.pool}' was started before.` });
    this.#state = 'open';
  }

  drain(): void {
    if (this.#state === 'new' || this.#state === 'open') this.#state = 'draining';
  }

  close(): void {
    this.#state = 'closed';
  }

  /**
   * A draining pool still takes what its calls, or another pool's, need to end.
   *
   * @throws SnakepitError POOL_NOT_READY; POOL_CLOSED
   */
  assertOpen(nesting?: ToolRun): void {
    if (this.#state === 'open' || (this.#state === 'draining' && nesting !== undefined)) return;
    if (this.#state === 'new') {
      throw new SnakepitError('POOL_NOT_READY', { pool: this.pool, reason: 'it was not started' });
    }
    throw new SnakepitError('POOL_CLOSED', { pool: this.pool });
  }
}
