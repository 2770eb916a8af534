import { describe, expect, it } from 'vitest';

import { callScopes, currentCallScope, inCallScope } from './call-scope.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('inCallScope', () => {
  it('gives the scope to what runs inside, and returns what that returns', async () => {
    expect(inCallScope({ deadline: 5 }, () => currentCallScope()?.deadline)).toBe(5);
    const later = inCallScope({ deadline: 6 }, async () => {
      await turn();
      return currentCallScope()?.deadline;
    });
    expect(currentCallScope()).toBeUndefined();
    expect(await later).toBe(6);
  });

  it('is over when what it ran has returned, thrown, resolved or rejected', async () => {
    inCallScope({}, () => 1);
    expect(() =>
      inCallScope({}, () => {
        throw new Error('at once');
      }),
    ).toThrow('at once');
    await inCallScope({}, turn);
    await expect(inCallScope({}, () => turn().then(() => Promise.reject(new Error('later'))))).rejects.toThrow('later');
    expect(callScopes.open).toBe(0);
  });

  it('gives nothing to what it left running, while another scope is open', async () => {
    let leftBehind: Promise<unknown> | undefined;
    await inCallScope({ deadline: 1 }, async () => {
      leftBehind = turn().then(currentCallScope);
    });
    await inCallScope({ deadline: 2 }, async () => {
      expect(await leftBehind).toBeUndefined();
      expect(currentCallScope()?.deadline).toBe(2);
    });
  });

  it('does not mix scopes that are open side by side', async () => {
    const seen = await Promise.all(
      [1, 2, 3].map((deadline) =>
        inCallScope({ deadline }, async () => {
          await turn();
          return currentCallScope()?.deadline;
        }),
      ),
    );
    expect(seen).toEqual([1, 2, 3]);
  });

  it('inherits from the scope around it what it does not say, and ends no later', () => {
    const [outer, inner] = [new AbortController(), new AbortController()];
    const trace = { traceparent: 'outer' };
    inCallScope({ trace, context: { a: '1' }, deadline: 5, signal: outer.signal }, () => {
      inCallScope({ context: { b: '2' }, deadline: 9, signal: inner.signal }, () => {
        const scope = currentCallScope();
        expect(scope).toMatchObject({ trace, context: { b: '2' }, deadline: 5 });
        outer.abort();
        expect(scope?.signal?.aborted).toBe(true);
      });
      inCallScope({}, () => expect(currentCallScope()?.signal).toBe(outer.signal));
    });
  });
});
