import { openPool } from '../support/pools.mjs';

/**
 * What a pool does that knows nothing of its commands, as most do and the ancestor did: each worker has one call at a time, and all calls
 * stand in one queue. The workers, and the way to each, are the library's own.
 */
export async function openFirstCome(workers) {
  const idle = await Promise.all(Array.from({ length: workers }, () => openPool({ size: 1, window: 1 })));
  const all = [...idle];
  const waiting = new Set();
  const execute = async (command, args) => {
    const worker = idle.pop() ?? (await new Promise((resolve) => waiting.add(resolve)));
    try {
      return await worker.execute(command, args);
    } finally {
      const [next] = waiting;
      if (next === undefined) idle.push(worker);
      else {
        waiting.delete(next);
        next(worker);
      }
    }
  };
  return {
    execute,
    add: () => execute('add', { a: 1, b: 2 }),
    close: () => Promise.all(all.map((pool) => pool.close())),
  };
}
