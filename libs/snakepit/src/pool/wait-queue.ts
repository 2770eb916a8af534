import { DrainRate } from './drain-rate.js';

export const PRIORITIES = ['high', 'normal', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What can wait: the queue's links live in the waiting object itself. */
export interface Waiting {
  readonly priority: Priority;
  queue: WaitQueue<Waiting> | undefined;
  before: Waiting | undefined;
  after: Waiting | undefined;
}

/** The items of one priority. */
interface Band<Item> {
  head: Item | undefined;
  tail: Item | undefined;
  size: number;
}

/**
 * First come, first served within each priority; pushing, shifting and leaving from the middle are O(1).
 *
 * ```
 *   high    head ⇄ item ⇄ tail
 *   normal  head ⇄ … ⇄ tail
 *   low     (empty)
 * ```
 */
export class WaitQueue<Item extends Waiting> {
  readonly #bands: Readonly<Record<Priority, Band<Item>>> = {
    high: { head: undefined, tail: undefined, size: 0 },
    normal: { head: undefined, tail: undefined, size: 0 },
    low: { head: undefined, tail: undefined, size: 0 },
  };
  /** To be told of calls that workers got; it starts anew when the queue is empty. */
  readonly rate = new DrainRate();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: Item): void {
    const band = this.#bands[item.priority];
    this.#adopt(item, band);
    item.before = band.tail;
    if (band.tail === undefined) band.head = item;
    else band.tail.after = item;
    band.tail = item;
  }

  /** Puts an item before all others of its priority: it had its turn once and lost it by no fault of its own. */
  pushFront(item: Item): void {
    const band = this.#bands[item.priority];
    this.#adopt(item, band);
    item.after = band.head;
    if (band.head === undefined) band.tail = item;
    else band.head.before = item;
    band.head = item;
  }

  /** The items of one priority, for those who look at its head again and again. */
  band(priority: Priority): {
    readonly head: Item | undefined;
    readonly tail: Item | undefined;
    readonly size: number;
  } {
    return this.#bands[priority];
  }

  /** The first of one priority. */
  peek(priority: Priority): Item | undefined {
    return this.#bands[priority].head;
  }

  remove(item: Item): void {
    if ((item.queue as unknown) !== this) throw new Error('an item was removed from a queue it does not wait in');
    const band = this.#bands[item.priority];
    const before = item.before as Item | undefined;
    const after = item.after as Item | undefined;
    if (before === undefined) band.head = after;
    else before.after = after;
    if (after === undefined) band.tail = before;
    else after.before = before;
    item.queue = undefined;
    item.before = undefined;
    item.after = undefined;
    this.#size -= 1;
    band.size -= 1;
    if (this.#size === 0) this.rate.restart();
  }

  /** All that wait, high priorities first; items may be removed while iterating. */
  *[Symbol.iterator](): IterableIterator<Item> {
    for (const priority of PRIORITIES) {
      let item = this.peek(priority);
      while (item !== undefined) {
        const after = item.after as Item | undefined;
        yield item;
        item = after;
      }
    }
  }

  #adopt(item: Item, band: Band<Item>): void {
    if (item.queue !== undefined) throw new Error('an item cannot wait in two queues');
    item.queue = this as unknown as WaitQueue<Waiting>;
    this.#size += 1;
    band.size += 1;
  }
}
