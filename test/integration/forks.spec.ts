import { fileURLToPath } from 'node:url';

import { createSnakepit, python, type LogRecord, type Snakepit } from 'nestjs-snakepit/core';
import { afterEach, describe, expect, inject, it } from 'vitest';

import { entriesOf, useScratch } from '../support/records.js';

const module = fileURLToPath(new URL('../fixtures/integration/forks.py', import.meta.url));
const SQUARES = [0, 1, 4, 9, 16, 25];

describe.each(['stdio', 'grpc'] as const)('a Python command that forks, over %s', (transport) => {
  const scratch = useScratch();
  const logs: LogRecord[] = [];
  let snakepit: Snakepit | undefined;
  afterEach(async () => {
    await snakepit?.close();
    logs.length = 0;
  });

  async function start(env: Record<string, string> = {}) {
    const adapter = python({
      module,
      env,
      path: [inject('pythonPackages')],
      ...(transport === 'grpc' && { transport }),
    });
    snakepit = await createSnakepit({ adapter, size: 1 }, { log: (record) => logs.push(record) });
    return snakepit.pool();
  }

  // A child that is terminated in the first moments of its life is what hangs where it hangs, so that once is not enough.
  it(
    'by multiprocessing.Pool, again and again and beside other calls, ends each time',
    { timeout: 60_000 },
    async () => {
      const pool = await start();
      for (let round = 0; round < 60; round += 1) {
        const [squares, ...sums] = await Promise.all([
          pool.execute('by_pool', { to: 6 }, { timeoutMs: 10_000 }),
          ...[1, 2, 3].map((b) => pool.execute('add', { a: 1, b })),
        ]);
        expect([squares, sums]).toEqual([SQUARES, [2, 3, 4]]);
      }
      expect(pool.stats()).toMatchObject({ restarts: 0, errors: 0 });
      expect(logs.filter(({ worker }) => worker !== undefined)).toEqual([]);
    },
  );

  it.each(['fork', 'spawn', 'forkserver'])('by the start method %s gets its results', async (method) => {
    const pool = await start();
    expect(await pool.execute('by_pool', { to: 6, method })).toEqual(SQUARES);
    expect(await pool.execute('by_executor', { to: 6, method })).toEqual(SQUARES);
    expect(await pool.execute('by_process', { method })).toEqual({ status: 0, isChild: true });
    expect(pool.stats()).toMatchObject({ restarts: 0, errors: 0 });
  });

  it('and whose child leaves by sys.exit ends that child alone, without the hooks of the worker', async () => {
    const path = scratch();
    const pool = await start({ NOTE_END: path });
    const [pid] = pool.stats().pids;
    expect(await pool.execute('that_exits', { status: 7 }, { timeoutMs: 10_000 })).toBe(7);
    expect(await pool.execute('add', { a: 1, b: 2 })).toBe(3);
    expect(entriesOf(path)).toEqual([]);
    await snakepit?.close();
    expect(entriesOf(path)).toEqual([{ ended: pid }]);
  });

  if (transport === 'grpc')
    it('does so with GRPC_ENABLE_FORK_SUPPORT too, which is turned off with a word to the log', async () => {
      const pool = await start({ GRPC_ENABLE_FORK_SUPPORT: '1' });
      expect(await pool.execute('by_process', {}, { timeoutMs: 10_000 })).toEqual({ status: 0, isChild: true });
      expect(logs.map(({ message }) => message).join('\n')).toContain('GRPC_ENABLE_FORK_SUPPORT is turned off');
    });
});
