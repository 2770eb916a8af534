import type { Clock } from '../core/index.js';

interface Entry<Value> {
  value: Value;
  bytes: number;
  /** On the clock's `now()` scale, which no change of the wall clock moves. */
  expiresAt: number;
}

/** What an {@link ExpiringMap} keeps with a value. */
export interface Lifetime {
  readonly ttlMs: number;
  /** Estimated size of key and value, added up in {@link ExpiringMap.bytes}. */
  readonly bytes: number;
}

/**
 * A bounded map whose entries expire. An expired entry is never seen, swept or not; `onExpired` hears of each once, after
 * it was removed.
 */
export class ExpiringMap<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  /** No entry expires before; entries touched since may expire later. Saves sweeps that would find nothing. */
  #earliest = Infinity;
  #bytes = 0;

  constructor(
    private readonly limit: number,
    private readonly clock: Clock,
    private readonly onExpired: (key: string) => void,
  ) {}

  /** Entries held, expired ones that were not swept yet included. */
  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAt > this.clock.now()) return entry.value;
    this.#remove(key, entry);
    this.onExpired(key);
    return undefined;
  }

  /** Sets a value and starts its lifetime anew; false when the map is full of unexpired entries. */
  set(key: string, value: Value, { ttlMs, bytes }: Lifetime): boolean {
    const expiresAt = this.clock.now() + ttlMs;
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      if (!this.#hasRoom()) return false;
      this.#entries.set(key, { value, bytes, expiresAt });
      this.#bytes += bytes;
    } else {
      this.#bytes += bytes - entry.bytes;
      entry.value = value;
      entry.bytes = bytes;
      entry.expiresAt = expiresAt;
    }
    if (expiresAt < this.#earliest) this.#earliest = expiresAt;
    return true;
  }

  delete(key: string): boolean {
    if (this.get(key) === undefined) return false;
    this.#remove(key, this.#entries.get(key)!);
    return true;
  }

  /** Keys of unexpired entries, in order of insertion. */
  keys(): string[] {
    this.sweep();
    return [...this.#entries.keys()];
  }

  /** Removes expired entries; returns how many. */
  sweep(): number {
    const now = this.clock.now();
    if (now < this.#earliest) return 0;
    const expired: string[] = [];
    this.#earliest = Infinity;
    for (const [key, entry] of this.#entries) {
      if (entry.expiresAt <= now) expired.push(key);
      else if (entry.expiresAt < this.#earliest) this.#earliest = entry.expiresAt;
    }
    for (const key of expired) this.#remove(key, this.#entries.get(key)!);
    // Only now: a listener may use this map.
    for (const key of expired) this.onExpired(key);
    return expired.length;
  }

  clear(): void {
    this.#entries.clear();
    this.#earliest = Infinity;
    this.#bytes = 0;
  }

  #hasRoom(): boolean {
    if (this.#entries.size >= this.limit) this.sweep();
    return this.#entries.size < this.limit;
  }

  #remove(key: string, entry: Entry<Value>): void {
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
    if (this.#entries.size === 0) this.#earliest = Infinity;
  }
}
