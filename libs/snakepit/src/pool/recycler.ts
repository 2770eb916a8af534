import { toError, type Clock, type LogLevel, type LogSink, type Timer } from '../core/index.js';
import { canReadGroupMemory, readGroupMemory, type RecycleReason, type Worker } from '../worker/index.js';
import type { ResolvedPoolOptions } from './options.js';
import type { WorkerCounters } from './pool-stats.js';
import { RecyclePolicy, type RecycleSettings } from './recycle-policy.js';
import { RestartPolicy } from './restart-policy.js';

export interface RecyclerParts {
  readonly pool: string;
  readonly options: Pick<ResolvedPoolOptions, 'recycle' | 'restart'>;
  readonly clock: Clock;
  readonly log: LogSink;
  /** Workers that take calls. */
  readonly workers: () => Iterable<Worker>;
  readonly countersOf: (worker: Worker) => WorkerCounters;
  /** How many workers are being replaced, for whatever reason. */
  readonly replacing: () => number;
  readonly replace: (worker: Worker, reason: RecycleReason) => Promise<boolean>;
}

/** Has workers replaced that have had their time: one timer for all of them, and nothing to do for a call. */
export class Recycler {
  readonly counts: Record<RecycleReason, number> = { 'max-calls': 0, ttl: 0, idle: 0, 'max-rss': 0 };
  readonly #parts: RecyclerParts;
  readonly #settings: RecycleSettings;
  readonly #policy: RecyclePolicy<Worker>;
  readonly #retryPolicy: RestartPolicy;
  #notBefore = -Infinity;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(parts: RecyclerParts, random: () => number = Math.random) {
    this.#parts = parts;
    const { recycle, restart } = parts.options;
    this.#settings = canReadGroupMemory ? recycle : { ...recycle, maxRssBytes: 0 };
    this.#policy = new RecyclePolicy(this.#settings, random);
    this.#retryPolicy = new RestartPolicy(restart);
  }

  start(): void {
    if (this.#settings.maxRssBytes !== this.#parts.options.recycle.maxRssBytes) {
      const message = `recycle.maxRssBytes needs Linux; on ${process.platform} it has no effect`;
      this.#log('warn', undefined, message);
    }
    if (!this.#policy.isOff) this.#lookLater();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #lookLater(): void {
    if (this.#isStopped) return;
    const { clock, options } = this.#parts;
    const { checkIntervalMs } = options.recycle;
    this.#timer = clock.after(checkIntervalMs, () => void this.#look().finally(() => this.#lookLater()));
  }

  async #look(): Promise<void> {
    const rss = await this.#readMemory();
    if (this.#isStopped) return;
    const { clock, workers, countersOf, replacing, options } = this.#parts;
    const now = clock.now();
    for (const worker of workers()) {
      const use = {
        calls: countersOf(worker).requests,
        inFlight: worker.channel?.inFlight ?? 0,
        startedAt: worker.startedAt,
        rssBytes: rss?.get(worker.pid ?? 0),
      };
      const reason = this.#policy.look(worker, use, now);
      // Every worker is looked at, even where none may go: what it does is to be known when its turn comes.
      if (reason === undefined || now < this.#notBefore || replacing() >= options.recycle.maxUnavailable) continue;
      void this.#recycle(worker, reason);
    }
  }

  async #recycle(worker: Worker, reason: RecycleReason): Promise<void> {
    try {
      if (await this.#parts.replace(worker, reason)) this.counts[reason] += 1;
    } catch (error) {
      const now = this.#parts.clock.now();
      this.#notBefore = now + this.#retryPolicy.onCrash(now, 0).delayMs;
      const message = `it is to be recycled (${reason}) and stays, because no other starts: ${toError(error).message}`;
      this.#log('error', worker.id, message);
    }
  }

  async #readMemory(): Promise<ReadonlyMap<number, number> | undefined> {
    if (this.#settings.maxRssBytes === 0) return undefined;
    const leaders = new Set([...this.#parts.workers()].flatMap(({ pid }) => pid ?? []));
    try {
      return await readGroupMemory(leaders);
    } catch (error) {
      this.#log('warn', undefined, `the memory of the workers cannot be read: ${toError(error).message}`);
      return undefined;
    }
  }

  #log(level: LogLevel, worker: string | undefined, message: string): void {
    const { pool, log } = this.#parts;
    log({ level, pool, message, ...(worker !== undefined && { worker }) });
  }
}
