import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { RecentMap } from './recent-map.js';

describe('RecentMap', () => {
  it('keeps the most recently used entries and never more than twice its capacity', () => {
    const operation = fc.record({ isSet: fc.boolean(), key: fc.integer({ min: 0, max: 9 }).map(String) });
    fc.assert(
      fc.property(fc.array(operation), fc.integer({ min: 1, max: 4 }), (operations, capacity) => {
        const map = new RecentMap<string>(capacity);
        const recent: string[] = [];
        for (const { isSet, key } of operations) {
          if (isSet) map.set(key, key);
          const isHeld = map.get(key) === key;
          if (isSet || recent.slice(0, capacity).includes(key)) expect(isHeld).toBe(true);
          if (isHeld) {
            const place = recent.indexOf(key);
            if (place >= 0) recent.splice(place, 1);
            recent.unshift(key);
          }
          expect(map.size).toBeLessThanOrEqual(2 * capacity);
          expect(new Set([...map.entries()].map(([each]) => each)).size).toBe(map.size);
        }
      }),
    );
  });

  it('forgets what is deleted, of either generation', () => {
    const map = new RecentMap<number>(1);
    map.set('a', 1);
    map.set('b', 2);
    expect([map.delete('a'), map.delete('b'), map.delete('b')]).toEqual([true, true, false]);
    expect(map.size).toBe(0);
  });
});
