import { fileURLToPath } from 'node:url';

import {
  createSnakepit,
  node,
  python,
  subscribe,
  type EventPayloads,
  type PoolOptions,
  type Snakepit,
} from 'nestjs-snakepit/core';
import { afterEach, describe, expect, it } from 'vitest';

import { failureOf } from '../support/outcomes.js';
import { sendSignal, untilGone } from '../support/processes.js';
import { waitUntil } from '../support/wait-until.js';

const moduleOf = (name: string) => fileURLToPath(new URL(`../fixtures/contract/${name}`, import.meta.url));

const open = new Set<Snakepit>();
afterEach(async () => {
  await Promise.all([...open].map((snakepit) => snakepit.close()));
  open.clear();
});

async function start(options: PoolOptions) {
  const snakepit = await createSnakepit(options);
  open.add(snakepit);
  return snakepit.pool();
}

describe.each([
  ['python', 'v1'],
  ['python', 'v2'],
  ['node', 'v1'],
  ['node', 'v2'],
] as const)('autoscale of %s workers over %s', (language, protocol) => {
  const adapter = () =>
    language === 'python'
      ? python({ module: moduleOf('commands.py'), protocol })
      : node({ module: moduleOf('commands.js'), protocol });

  it('grows under a burst so that no call times out, and shrinks to min when it is over, without failing a call', async () => {
    const sizes: EventPayloads['snakepit:scale'][] = [];
    const unsubscribe = subscribe('snakepit:scale', (event) => sizes.push(event));
    try {
      const autoscale = { min: 1, max: 4, downAfterMs: 500, checkIntervalMs: 20 };
      const pool = await start({ adapter: adapter(), autoscale, queueTimeoutMs: 5_000 });
      expect(pool.stats()).toMatchObject({ size: 1, workers: 1, status: 'up' });
      const most = waitUntil(
        'four workers',
        () => pool.workers().filter(({ state }) => state === 'ready').length === 4,
      );
      // 8 seconds of work: one worker alone would leave the last of them waiting for longer than they do.
      const answers = await Promise.all(Array.from({ length: 80 }, () => pool.execute('block', { ms: 100 })));
      expect(answers).toEqual(Array.from({ length: 80 }, () => 100));
      await most;
      const { pids } = pool.stats();
      await waitUntil('one worker', () => pool.stats().workers === 1);
      await untilGone(pids.filter((pid) => !pool.stats().pids.includes(pid)));
      expect(pool.stats()).toMatchObject({ size: 1, errors: 0, restarts: 0, status: 'up' });
      expect(sizes[0]).toMatchObject({ pool: 'default', from: 1, reason: 'wait' });
      expect(sizes[0]?.queued).toBeGreaterThan(0);
      expect(sizes.at(-1)).toMatchObject({ to: 1, reason: 'idle', queued: 0 });
      expect(sizes.every(({ to }) => to >= 1 && to <= 4)).toBe(true);
    } finally {
      unsubscribe();
    }
  });
});

describe('autoscale', () => {
  const adapter = () => python({ module: moduleOf('commands.py') });

  it('refuses a min above max, a fixed size beside it, and to be resized by hand', async () => {
    const error = await failureOf(createSnakepit({ adapter: adapter(), autoscale: { min: 3, max: 2 } }));
    expect(error.code).toBe('INVALID_OPTIONS');
    expect(error.message).toContain("'autoscale.min' of pool 'default' is 3, more than 'autoscale.max', which is 2");
    const both = await failureOf(createSnakepit({ adapter: adapter(), autoscale: { min: 1, max: 2 }, size: 2 }));
    expect(both).toMatchObject({ code: 'INVALID_OPTIONS' });
    expect(both.message).toContain("pool 'default' has both 'size' and 'autoscale'");
    const pool = await start({ adapter: adapter(), autoscale: { min: 1, max: 2 } });
    expect(() => pool.resize(2)).toThrow(expect.objectContaining({ code: 'MISUSE' }) as Error);
  });

  it('replaces a worker that dies, however few there are', async () => {
    const pool = await start({ adapter: adapter(), autoscale: { min: 2, max: 3, checkIntervalMs: 20 } });
    sendSignal(pool.stats().pids[0], 'SIGKILL');
    await waitUntil('the restart', () => pool.stats().restarts === 1 && pool.stats().available === 2);
    expect(pool.stats()).toMatchObject({ size: 2, status: 'up' });
  });
});
