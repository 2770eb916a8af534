import type { Clock, Timer } from '../core/index.js';
import { RecentMap } from './recent-map.js';

/** How long uses of sessions are collected before they are written to the store in one go. */
export const WRITE_DELAY_MS = 250;

export interface WorkerAffinityOptions {
  /** How many sessions are remembered, at least. */
  readonly capacity: number;
  readonly clock: Clock;
  /** Records in the store that `workerId` served the session; must not reject. */
  readonly write: (id: string, workerId: string) => Promise<void>;
}

/**
 * Which worker served a session last. Looked up and set on every session call, so both are synchronous; the store hears
 * of it later, once for all uses of a session within {@link WRITE_DELAY_MS}.
 */
export class WorkerAffinity {
  readonly #workers: RecentMap<string>;
  /** Sessions used since the last write, with their worker. */
  #unwritten = new Map<string, string>();
  #timer: Timer | undefined;

  constructor(private readonly options: WorkerAffinityOptions) {
    this.#workers = new RecentMap(options.capacity);
  }

  lastWorkerOf(id: string): string | undefined {
    return this.#workers.get(id);
  }

  remember(id: string, workerId: string): void {
    this.#workers.set(id, workerId);
    this.#unwritten.set(id, workerId);
    this.#timer ??= this.options.clock.after(WRITE_DELAY_MS, () => void this.flush());
  }

  /** Takes over what the store knows; it need not be written. */
  adopt(id: string, workerId: string): void {
    this.#workers.set(id, workerId);
  }

  /** Whether anything was remembered. */
  forget(id: string): boolean {
    this.#unwritten.delete(id);
    return this.#workers.delete(id);
  }

  /** The worker that the store was not told of yet; the caller tells it. */
  takeUnwritten(id: string): string | undefined {
    const workerId = this.#unwritten.get(id);
    if (workerId !== undefined) this.#unwritten.delete(id);
    return workerId;
  }

  sessionsOf(workerId: string): string[] {
    const ids: string[] = [];
    for (const [id, each] of this.#workers.entries()) if (each === workerId) ids.push(id);
    return ids;
  }

  /** Writes what is unwritten now. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const unwritten = this.#unwritten;
    this.#unwritten = new Map();
    await Promise.all(Array.from(unwritten, ([id, workerId]) => this.options.write(id, workerId)));
  }

  async close(): Promise<void> {
    await this.flush();
    this.#workers.clear();
  }
}
