import { array, assert, constantFrom, property } from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CircuitBreaker } from './circuit-breaker.js';

describe('a circuit breaker', () => {
  it('stays closed while crashes are within the budget, or a worker is ready', () => {
    const breaker = new CircuitBreaker();
    expect(breaker.onCrash(false, 0, 0)).toBe('restart');
    expect(breaker.onCrash(true, 1, 0)).toBe('restart');
    expect(breaker.isOpen).toBe(false);
    expect(breaker.onReady()).toBe(false);
  });

  it('opens once, when the budget is used up and no worker is ready', () => {
    const breaker = new CircuitBreaker();
    expect(breaker.onCrash(true, 0, 3)).toBe('open');
    expect(breaker.isOpen).toBe(true);
    expect(breaker.onCrash(true, 0, 2)).toBe('stay-open');
    expect(breaker.onCrash(true, 0, 1)).toBe('stay-open');
  });

  it('goes on with one try after the other while it is open, even when old crashes are forgotten', () => {
    const breaker = new CircuitBreaker();
    breaker.onCrash(true, 0, 0);
    expect(breaker.onCrash(true, 0, 0)).toBe('restart');
    expect(breaker.onCrash(false, 0, 0)).toBe('restart');
    expect(breaker.isOpen).toBe(true);
  });

  it('closes with the first worker that becomes ready, and says so once', () => {
    const breaker = new CircuitBreaker();
    breaker.onCrash(true, 0, 0);
    expect(breaker.onReady()).toBe(true);
    expect(breaker.isOpen).toBe(false);
    expect(breaker.onReady()).toBe(false);
  });

  it('whatever happens never leaves an open pool without a try', () => {
    assert(
      property(array(constantFrom('crash', 'ready'), { maxLength: 100 }), (events) => {
        const breaker = new CircuitBreaker();
        const SIZE = 4;
        let ready = SIZE;
        let tries = 0;
        for (const event of events) {
          if (event === 'ready' && tries > 0) {
            tries -= 1;
            ready += 1;
            if (breaker.onReady()) tries = SIZE - ready;
          } else if (event === 'crash' && ready + tries > 0) {
            if (ready > 0) ready -= 1;
            else tries -= 1;
            if (breaker.onCrash(true, ready, tries) === 'restart') tries += 1;
            else if (tries === 0) tries = 1;
          }
          expect(ready + tries).toBeGreaterThan(0);
          if (breaker.isOpen) expect(ready).toBe(0);
        }
      }),
    );
  });
});
