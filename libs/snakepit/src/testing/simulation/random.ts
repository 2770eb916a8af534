/** Random numbers that are the same for the same seed (mulberry32), and what is drawn with them. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Numbers of their own for one purpose, so that drawing more for it changes nothing elsewhere. */
  static of(seed: number, purpose: string): Random {
    let mixed = seed | 0;
    for (let at = 0; at < purpose.length; at += 1) mixed = Math.imul(mixed ^ purpose.charCodeAt(at), 0x0100_0193);
    return new Random(mixed);
  }

  /** From 0 up to 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.next() * items.length)]!;
  }

  /** Undefined, and nothing drawn, where there is none. */
  pickOf<Item>(items: Iterable<Item>): Item | undefined {
    const list = [...items];
    return list.length === 0 ? undefined : this.pick(list);
  }
}
