import { fileURLToPath } from 'node:url';

import { createSnakepit, node, python } from 'nestjs-snakepit/core';

const SIZE = 4;
const CALLERS = 64;
const RELOADS = 20;
const fixture = (name) => fileURLToPath(new URL(`../../fixtures/contract/${name}`, import.meta.url));
const ADAPTERS = {
  python: (protocol) => python({ module: fixture('commands.py'), protocol }),
  node: (protocol) => node({ module: fixture('commands.js'), protocol }),
};

/**
 * Calls that fail while a pool under full load is reloaded again and again, by language and protocol.
 *
 * Every caller has the next call out as soon as the last one is answered; a third of the callers are in sessions, and one command in
 * eight is slow. Nothing is idempotent, so that no failure is hidden by a second try.
 *
 * @param {{ reloads?: number, progress?: (text: string) => void }} [settings] `reloads` for each of the four combinations
 * @returns {Promise<{ reload_failed_calls: number, reload_calls: number, reload_ms_max: number, errors: string[] }>}
 */
export async function reloadFigures({ reloads = RELOADS, progress = () => {} } = {}) {
  const sum = { reload_failed_calls: 0, reload_calls: 0, reload_ms_max: 0, errors: [] };
  for (const [language, adapterOf] of Object.entries(ADAPTERS)) {
    for (const protocol of ['v1', 'v2']) {
      const report = (turn) => progress(`reload ${turn} of ${reloads}, ${language} ${protocol}`);
      const found = await reloadUnderLoad(adapterOf(protocol), reloads, report);
      sum.reload_failed_calls += found.failed.length;
      sum.reload_calls += found.answered + found.failed.length;
      sum.reload_ms_max = Math.max(sum.reload_ms_max, found.slowestMs);
      sum.errors.push(...found.failed.slice(0, 5).map((error) => `${language} ${protocol}: ${error.message}`));
    }
  }
  return sum;
}

async function reloadUnderLoad(adapter, reloads, report) {
  const snakepit = await createSnakepit({
    adapter,
    size: SIZE,
    affinity: 'strict-queue',
    recycle: { maxUnavailable: 2 },
    queueTimeoutMs: 30_000,
  });
  const pool = snakepit.pool();
  const failed = [];
  let answered = 0;
  const over = new AbortController();
  let slowestMs = 0;
  async function caller(number) {
    const session = number % 3 === 0 ? `session-${number % 8}` : undefined;
    for (let n = number; !over.signal.aborted; n += 1) {
      const call = n % 8 === 0 ? ['doze', { ms: 3 }] : ['add', { a: number, b: n }];
      const expected = n % 8 === 0 ? 3 : number + n;
      try {
        const result = await pool.execute(...call, { session });
        if (result !== expected) throw new Error(`${call[0]} answered ${result} instead of ${expected}`);
        answered += 1;
      } catch (error) {
        failed.push(error);
      }
    }
  }
  try {
    const callers = Promise.all(Array.from({ length: CALLERS }, (_, number) => caller(number)));
    for (let turn = 1; turn <= reloads; turn += 1) {
      report(turn);
      const before = new Set(pool.stats().pids);
      const startedAt = performance.now();
      await pool.reload();
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      if (pool.stats().pids.some((pid) => before.has(pid))) failed.push(new Error(`reload ${turn} left an old worker`));
    }
    over.abort();
    await callers;
  } finally {
    over.abort();
    await snakepit.close();
  }
  return { failed, answered, slowestMs };
}

export async function run({ cycles, progress }) {
  const { errors, ...figures } = await reloadFigures({ reloads: cycles, progress });
  return { ...figures, notes: errors };
}
