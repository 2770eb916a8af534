/** Slices begin at multiples of a page, so that every element type is aligned in them. */
const ALIGNMENT = 4096;

interface Span {
  start: number;
  end: number;
}

/**
 * Hands out slices of a range of bytes, the first gap that fits, and joins what comes back with its neighbours. Low offsets
 * are preferred, so that the pages of a shared file that were touched once are touched again.
 *
 * ```
 *   0                                        capacity
 *   [ slice | slice |  gap  | slice |   gap         ]     gaps: sorted, never adjacent
 * ```
 * A slice is named by where it starts. There are few of them at a time: one for each large value that is on its way.
 */
export class SliceAllocator {
  readonly #gaps: Span[];
  readonly #slices = new Map<number, number>();

  constructor(capacity: number) {
    this.#gaps = [{ start: 0, end: capacity }];
  }

  /** Slices that are handed out. */
  get size(): number {
    return this.#slices.size;
  }

  /** Returns where the slice starts; undefined when no gap is large enough. */
  allocate(bytes: number): number | undefined {
    const length = Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT;
    const index = this.#gaps.findIndex((gap) => gap.end - gap.start >= length);
    const gap = this.#gaps[index];
    if (gap === undefined) return undefined;
    const { start } = gap;
    gap.start += length;
    if (gap.start === gap.end) this.#gaps.splice(index, 1);
    this.#slices.set(start, start + length);
    return start;
  }

  /** Takes back the slice that starts there; false when there is none. */
  free(start: number): boolean {
    const end = this.#slices.get(start);
    if (end === undefined) return false;
    this.#slices.delete(start);
    const gaps = this.#gaps;
    const found = gaps.findIndex((gap) => gap.start >= end);
    const index = found < 0 ? gaps.length : found;
    const before = gaps[index - 1];
    const after = gaps[index];
    if (before?.end === start && after?.start === end) {
      before.end = after.end;
      gaps.splice(index, 1);
    } else if (before?.end === start) before.end = end;
    else if (after?.start === end) after.start = start;
    else gaps.splice(index, 0, { start, end });
    return true;
  }

  /** Whether all these bytes belong to one slice that is handed out. */
  covers(start: number, end: number): boolean {
    for (const [from, to] of this.#slices) if (from <= start && end <= to) return true;
    return false;
  }
}
