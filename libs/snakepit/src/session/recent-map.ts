/**
 * The most recently used entries of a map, by generations instead of a linked list: reading or writing moves an entry to
 * the young generation; a full young generation becomes the old one, and the old one is dropped whole.
 *
 * ```
 *   get/set ──▶ young (≤ capacity) ──full──▶ old (≤ capacity) ──next full──▶ forgotten
 *                 ▲                            │
 *                 └────────── used ────────────┘
 * ```
 *
 * It keeps at least the `capacity` most recently used entries and at most twice as many, and using an entry of the young
 * generation costs one map lookup.
 */
export class RecentMap<Value> {
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();

  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): Value | undefined {
    const value = this.#young.get(key);
    if (value !== undefined || this.#old.size === 0) return value;
    const older = this.#old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: string, value: Value): void {
    if (!this.#young.has(key)) {
      if (this.#young.size >= this.capacity) {
        this.#old = this.#young;
        this.#young = new Map();
      }
      this.#old.delete(key);
    }
    this.#young.set(key, value);
  }

  delete(key: string): boolean {
    const wasYoung = this.#young.delete(key);
    return this.#old.delete(key) || wasYoung;
  }

  *entries(): Generator<readonly [string, Value]> {
    yield* this.#old;
    yield* this.#young;
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
