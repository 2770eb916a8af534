import { openPool, pythonAdapter, WAITING } from '../support/pools.mjs';
import { alternate } from '../support/rounds.mjs';
import { formatNumber } from '../support/table.mjs';

const CALLS = 200;
/** Of calls one after the other fewer tell the same. */
const QUICK_CALLS = 20;
const WAIT_SECONDS = 0.05;
const CONCURRENCY = 100;

/** @type {Record<string, (bench: import('../support/rounds.mjs').Bench) => Promise<import('../support/rounds.mjs').Outcome>>} */
export const measures = {
  async async_concurrency_x(bench) {
    const adapter = pythonAdapter({ module: WAITING });
    const [many, single] = [
      await bench.use(openPool({ size: 1, adapter, concurrency: CONCURRENCY })),
      await bench.use(openPool({ size: 1, adapter })),
    ];
    for (const pool of [many, single]) await pool.execute('wait', { seconds: 0 });
    const singles = bench.settings.isQuick ? QUICK_CALLS : CALLS;
    const { ratios, a, b } = await alternate(bench, {
      a: async () => ((await secondsOf(single, singles)) / singles) * CALLS,
      b: () => secondsOf(many, CALLS),
    });
    return { samples: ratios, detail: `${formatNumber(a)} s ÷ ${formatNumber(b)} s` };
  },
};

/** How long it takes until so many calls have waited. */
async function secondsOf(pool, calls) {
  const began = performance.now();
  await Promise.all(Array.from({ length: calls }, () => pool.execute('wait', { seconds: WAIT_SECONDS })));
  return (performance.now() - began) / 1_000;
}
