import { subscribe, type EventPayloads, type PoolStatus, type Snakepit } from '../runtime/index.js';

/** What a transport of workers is like: all of its pools' workers are there, some, or none of one pool. */
export type SnakepitStatus = 'connected' | 'degraded' | 'disconnected';

/** A worker's change of state, as published on `snakepit:worker`. */
export type WorkerChange = EventPayloads['snakepit:worker'];

/** What both ends of the transport tell those who ask by `on()`. */
// A type and not an interface: Nest wants an index signature of functions.
export type SnakepitTransportEvents = {
  readonly status: (status: SnakepitStatus) => void;
  readonly worker: (change: WorkerChange) => void;
};

/** Listeners by event, as Nest's `on()` adds them: before the transport is there, too. */
export class TransportListeners {
  readonly #listeners = {
    status: new Set<SnakepitTransportEvents['status']>(),
    worker: new Set<SnakepitTransportEvents['worker']>(),
  };

  /** @throws Error for an event that there is not */
  add<Event extends keyof SnakepitTransportEvents>(event: Event, listener: SnakepitTransportEvents[Event]): void {
    if (!Object.hasOwn(this.#listeners, event)) {
      const known = Object.keys(this.#listeners).join(', ');
      throw new Error(`there is no event '${String(event)}' of snakepit's transport; listen to one of ${known}`);
    }
    (this.#listeners[event] as Set<typeof listener>).add(listener);
  }

  onStatus(status: SnakepitStatus): void {
    for (const listener of this.#listeners.status) listener(status);
  }

  onWorker(change: WorkerChange): void {
    for (const listener of this.#listeners.worker) listener(change);
  }
}

const STATUS_OF: Readonly<Record<PoolStatus, SnakepitStatus>> = {
  up: 'connected',
  degraded: 'degraded',
  down: 'disconnected',
};

export interface PoolWatchParts {
  readonly snakepit: Snakepit;
  readonly pools: readonly string[];
  /** Called at first, and with every change. */
  readonly onStatus: (status: SnakepitStatus) => void;
  readonly onWorker: (change: WorkerChange) => void;
}

/** Watches what pools are like, from the changes of their workers; `close` ends that. */
export class PoolWatch {
  readonly #parts: PoolWatchParts;
  readonly #unsubscribe: () => void;
  #last: SnakepitStatus | undefined;
  #lookIsDue = false;
  #isClosed = false;

  constructor(parts: PoolWatchParts) {
    this.#parts = parts;
    this.#unsubscribe = subscribe('snakepit:worker', (change) => this.#onWorker(change));
    this.#look();
  }

  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
  }

  #onWorker(change: WorkerChange): void {
    const { snakepit, pools, onWorker } = this.#parts;
    if (change.instance !== snakepit.instance || !pools.includes(change.pool)) return;
    onWorker(change);
    // The pool hears of the change after those who are told of it here.
    if (this.#lookIsDue) return;
    this.#lookIsDue = true;
    queueMicrotask(() => this.#look());
  }

  #look(): void {
    this.#lookIsDue = false;
    if (this.#isClosed) return;
    const status = this.#worst();
    if (status === this.#last) return;
    this.#last = status;
    this.#parts.onStatus(status);
  }

  #worst(): SnakepitStatus {
    const { snakepit, pools } = this.#parts;
    const statuses = new Set(pools.map((name) => STATUS_OF[snakepit.pool(name).status]));
    if (statuses.has('disconnected')) return 'disconnected';
    return statuses.has('degraded') ? 'degraded' : 'connected';
  }
}
