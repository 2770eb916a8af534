// How long a pool is without a worker that was killed, and what its callers notice.
import { fileURLToPath } from 'node:url';

import { createSnakepit, python } from 'nestjs-snakepit/core';

import { quantile } from '../../bench/support/statistics.mjs';
import { nextFullSize } from '../support/full-size.mjs';
import { randomFrom } from '../support/random.mjs';

const MODULE = fileURLToPath(new URL('../../fixtures/contract/commands.py', import.meta.url));
const SIZE = 4;
const CALLERS = 64;

/** Kills `cycles` workers, one after the other, of pools that are idle, with and without a zygote, and under 64 callers. */
export async function run({ cycles, seed, progress }) {
  const random = randomFrom(seed);
  const idle = (zygote) => killOneByOne({ zygote, kills: cycles, random, progress });
  const loaded = (idempotent) => killOneByOne({ callers: CALLERS, idempotent, kills: cycles, random, progress });
  const [plain, zygote] = [await idle(false), await idle(true)];
  const [safe, unsafe] = [await loaded(true), await loaded(false)];
  return {
    recovery_p95_ms: quantile(plain.recoveredMs, 0.95),
    recovery_zygote_p95_ms: quantile(zygote.recoveredMs, 0.95),
    errors_per_kill: safe.failures.reduce((sum, count) => sum + count, 0) / cycles,
    errors_per_kill_plain: Math.max(...unsafe.failures),
    notes: safe.notes,
  };
}

async function killOneByOne({ zygote = false, callers = 0, idempotent = false, kills, random, progress }) {
  const snakepit = await createSnakepit({
    adapter: python({ module: MODULE, zygote }),
    size: SIZE,
    // Kills come faster here than any pool should put up with.
    restart: { budget: 1_000_000, windowMs: 1 },
    taint: { enabled: false },
  });
  const pool = snakepit.pool();
  const over = new AbortController();
  const found = { recoveredMs: [], failures: [], notes: [] };
  let failed = 0;
  const call = async () => {
    while (!over.signal.aborted) {
      await pool.execute('add', { a: 1, b: 2 }, { idempotent }).catch((error) => {
        failed += 1;
        found.notes.push(error.message);
      });
    }
  };
  try {
    const calling = Array.from({ length: callers }, call);
    for (let kill = 1; kill <= kills; kill += 1) {
      progress(`${zygote ? 'zygote' : 'spawned'}, ${callers} callers: ${kill} of ${kills} workers killed`);
      const whole = nextFullSize(pool);
      const { pids } = pool.stats();
      const killedAt = performance.now();
      process.kill(pids[Math.floor(random() * pids.length)], 'SIGKILL');
      found.recoveredMs.push((await whole) - killedAt);
      found.failures.push(failed);
      failed = 0;
    }
    over.abort();
    await Promise.all(calling);
  } finally {
    over.abort();
    await snakepit.close();
  }
  return found;
}
