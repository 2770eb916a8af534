import { describe, expect, it } from 'vitest';

import { flawOf, spelledAlike } from './tool-name.js';

describe('a name of a tool', () => {
  it.each(['price.of', 'price_of', 'priceOf', 'PriceOf', 'price-of'])('%s is another spelling of priceof', (name) => {
    expect(spelledAlike(name)).toBe('priceof');
    expect(flawOf(name)).toBeUndefined();
  });

  it.each(['', ' a', '1a', 'a b', 'ä', 7, undefined, null, {}])('%j is none', (name) => {
    expect(flawOf(name)).toMatch(/is no name of a tool; give one of letters/);
  });
});
