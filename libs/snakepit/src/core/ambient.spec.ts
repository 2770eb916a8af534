import { setImmediate as turn } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { Ambient } from './ambient.js';

const user = new Ambient<string>('spec-user');
const tenant = new Ambient<string>('spec-tenant');

/** Runs `task` in the value's course and leaves when it has settled, as those that open one do. */
async function within<Value, Result>(
  ambient: Ambient<Value>,
  value: Value,
  task: () => Promise<Result>,
): Promise<Result> {
  try {
    return await ambient.enter(value, task);
  } finally {
    ambient.leave();
  }
}

describe('Ambient', () => {
  it('is what a task entered with, behind every promise it waits for', async () => {
    const seen = await within(user, 'ann', async () => {
      const before = user.current;
      await turn();
      return [before, user.current];
    });
    expect(seen).toEqual(['ann', 'ann']);
  });

  it('is of each task its own, where several run at once', async () => {
    const seenBy = (name: string) =>
      within(user, name, async () => {
        await turn();
        return user.current;
      });
    expect(await Promise.all([seenBy('ann'), seenBy('bob'), seenBy('eve')])).toEqual(['ann', 'bob', 'eve']);
  });

  it('lets two of different names stand side by side', async () => {
    const seen = await within(user, 'ann', () =>
      within(tenant, 'acme', async () => {
        await turn();
        return [user.current, tenant.current];
      }),
    );
    expect(seen).toEqual(['ann', 'acme']);
  });

  it('is the outer value again when a task within has left', async () => {
    const seen = await within(user, 'ann', async () => {
      const inner = await within(user, 'bob', async () => user.current);
      await turn();
      return [inner, user.current];
    });
    expect(seen).toEqual(['bob', 'ann']);
  });

  it('is nothing outside of a task, also while one is open elsewhere', async () => {
    let end = () => {};
    const open = within(user, 'ann', () => new Promise<void>((resolve) => (end = resolve)));
    expect(user.current).toBeUndefined();
    await turn();
    expect(user.current).toBeUndefined();
    end();
    await open;
  });

  it('is nothing for what outlives the last task', async () => {
    let left = () => {};
    const hasLeft = new Promise<void>((resolve) => (left = resolve));
    const outlives = await within(user, 'ann', async () => ({ seen: hasLeft.then(() => user.current) }));
    left();
    expect(await outlives.seen).toBeUndefined();
  });
});
