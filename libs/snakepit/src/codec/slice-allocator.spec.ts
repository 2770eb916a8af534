import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SliceAllocator } from './slice-allocator.js';

const PAGE = 4096;
const CAPACITY = 64 * PAGE;

type Step = { readonly allocate: number } | { readonly free: number };

const steps = fc.array(
  fc.oneof(
    fc.record({ allocate: fc.integer({ min: 0, max: 20 * PAGE }) }),
    fc.record({ free: fc.nat({ max: 1_000 }) }),
  ),
  { maxLength: 200 },
);

/** Carries the steps out and hands the slices that are in use to `check` after each. */
function run(
  list: readonly Step[],
  check: (held: ReadonlyMap<number, number>, allocator: SliceAllocator) => void,
): void {
  const allocator = new SliceAllocator(CAPACITY);
  const held = new Map<number, number>();
  for (const step of list) {
    if ('allocate' in step) {
      const start = allocator.allocate(step.allocate);
      if (start !== undefined) held.set(start, step.allocate);
    } else if (held.size > 0) {
      const start = [...held.keys()][step.free % held.size]!;
      expect(allocator.free(start)).toBe(true);
      held.delete(start);
    }
    check(held, allocator);
  }
  for (const start of held.keys()) allocator.free(start);
  expect(allocator.allocate(CAPACITY)).toBe(0);
}

describe('a slice allocator', () => {
  it('never hands out a byte twice, stays within its capacity, and joins all gaps in the end', () => {
    fc.assert(
      fc.property(steps, (list) =>
        run(list, (held) => {
          let end = 0;
          for (const [start, bytes] of [...held].toSorted(([a], [b]) => a - b)) {
            expect(start).toBeGreaterThanOrEqual(end);
            expect(start % PAGE).toBe(0);
            end = start + bytes;
          }
          expect(end).toBeLessThanOrEqual(CAPACITY);
        }),
      ),
    );
  });

  it('counts what is in use and knows which bytes are', () => {
    fc.assert(
      fc.property(steps, (list) =>
        run(list, (held, allocator) => {
          expect(allocator.size).toBe(held.size);
          for (const [start, bytes] of held) expect(allocator.covers(start, start + bytes)).toBe(true);
        }),
      ),
    );
  });

  it('refuses what does not fit any gap and goes on', () => {
    const allocator = new SliceAllocator(3 * PAGE);
    expect(allocator.allocate(4 * PAGE)).toBeUndefined();
    const [first, , third] = [allocator.allocate(1), allocator.allocate(PAGE), allocator.allocate(PAGE)];
    allocator.free(first!);
    allocator.free(third!);
    expect(allocator.allocate(2 * PAGE)).toBeUndefined();
    expect(allocator.allocate(PAGE)).toBe(0);
  });

  it('tells an offset at which no slice begins, or not any more', () => {
    const allocator = new SliceAllocator(CAPACITY);
    const start = allocator.allocate(2 * PAGE)!;
    expect(allocator.free(start + PAGE)).toBe(false);
    expect(allocator.free(start)).toBe(true);
    expect(allocator.free(start)).toBe(false);
    expect(allocator.covers(start, start + 1)).toBe(false);
  });
});
