import type { CallId, ChannelCall } from './channel.js';

const SLOT_BITS = 16;
const SLOT_MASK = 0xffff;
const MAX_SLOTS = 1 << SLOT_BITS;

/**
 * The calls in flight on one channel, found by id without hashing.
 *
 * ```
 *   id (u32) = generation (16 bits) | slot (16 bits)
 *
 *   slot         0      1      2      3
 *   calls      [ c7  |      |  c9  |      ]
 *   generation [ 4   |  2   |  1   |  1   ]     free: [3, 1]
 * ```
 * A slot's generation goes up whenever it is taken, so that a late or invented id of an earlier call is told from the
 * present one. Generations start at 1: no id is ever 0.
 */
export class PendingCalls {
  readonly #calls: Array<ChannelCall | undefined> = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(call: ChannelCall): CallId {
    let slot = this.#free.pop();
    if (slot === undefined) {
      slot = this.#calls.length;
      if (slot >= MAX_SLOTS) throw new RangeError(`more than ${MAX_SLOTS} calls in flight on one channel`);
      this.#generations.push(0);
    }
    const previous = this.#generations[slot] ?? 0;
    const generation = previous === SLOT_MASK ? 1 : previous + 1;
    this.#generations[slot] = generation;
    this.#calls[slot] = call;
    this.#size += 1;
    return ((generation << SLOT_BITS) | slot) >>> 0;
  }

  get(id: CallId): ChannelCall | undefined {
    const slot = id & SLOT_MASK;
    return this.#generations[slot] === id >>> SLOT_BITS ? this.#calls[slot] : undefined;
  }

  /** Removes and returns the call; undefined for an id that is not in flight. */
  take(id: CallId): ChannelCall | undefined {
    const call = this.get(id);
    if (call === undefined) return undefined;
    const slot = id & SLOT_MASK;
    this.#calls[slot] = undefined;
    this.#free.push(slot);
    this.#size -= 1;
    return call;
  }

  /** All calls, in the order of their slots. */
  all(): ChannelCall[] {
    return this.#calls.filter((call) => call !== undefined);
  }

  /** Removes and returns all calls with their ids, in the order of their slots. */
  takeAll(): Array<{ readonly id: CallId; readonly call: ChannelCall }> {
    const taken: Array<{ id: CallId; call: ChannelCall }> = [];
    this.#calls.forEach((call, slot) => {
      if (call === undefined) return;
      const id = (((this.#generations[slot] ?? 0) << SLOT_BITS) | slot) >>> 0;
      taken.push({ id, call });
      this.take(id);
    });
    return taken;
  }
}
