import { map, Observable, of } from 'rxjs';
import { describe, expect, it } from 'vitest';

import { DeferredItems, PullableStream, pulled } from './pullable-stream.js';

/** Counts up to `limit`, and tells how often it was begun and left. */
function counting(limit: number) {
  const seen = { begun: 0, left: 0 };
  async function* items(): AsyncGenerator<number, undefined> {
    seen.begun += 1;
    try {
      for (let n = 1; n <= limit; n += 1) yield n;
    } finally {
      seen.left += 1;
    }
  }
  return { seen, items };
}

describe('pulled', () => {
  it('begins anew with every loop, and is left with it', async () => {
    const { seen, items } = counting(3);
    const iterable = pulled(new PullableStream<number>(() => {}, items));
    expect(seen.begun).toBe(0);
    const all: number[] = [];
    for await (const item of iterable) all.push(item);
    for await (const item of iterable) {
      all.push(item);
      break;
    }
    expect(all).toEqual([1, 2, 3, 1]);
    expect(seen).toEqual({ begun: 2, left: 2 });
  });

  it.each<[string, Observable<number>]>([
    ['another Observable', of(1)],
    ['what pipe() made of one that can be', new PullableStream(() => {}, counting(1).items).pipe(map((n) => n))],
  ])('refuses %s', (_, stream) => {
    expect(() => pulled(stream)).toThrow(TypeError);
  });
});

describe('items whose source is there later', () => {
  it('come in order, and fail as their source does', async () => {
    const items = new DeferredItems(Promise.resolve(counting(1).items()));
    expect(await Promise.all([items.next(), items.next()])).toEqual([
      { value: 1, done: false },
      { value: undefined, done: true },
    ]);
    await expect(new DeferredItems(Promise.reject(new Error('no source'))).next()).rejects.toThrow('no source');
  });

  it('are left at once, though one is waited for', async () => {
    let isLeft = false;
    const silent: AsyncIterator<number, undefined> = {
      next: () => new Promise(() => {}),
      return: async () => {
        isLeft = true;
        return { value: undefined, done: true };
      },
    };
    const items = new DeferredItems(Promise.resolve(silent));
    void items.next();
    await items.return();
    await new Promise((resolve) => setImmediate(resolve));
    expect(isLeft).toBe(true);
  });
});
